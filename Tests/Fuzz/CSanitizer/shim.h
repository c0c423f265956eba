#pragma once

#include <sanitizer/allocator_interface.h>
