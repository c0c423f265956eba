#pragma once

/* Debian's libxml2 is built with ICU and says so in its headers, which then bring ICU's own. Foundation brings another ICU, and two do not
 * go together in one module. What ICU adds lies at the end of a structure that we only ever hold by reference. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

#include <libxml/HTMLparser.h>
#include <libxml/dict.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
