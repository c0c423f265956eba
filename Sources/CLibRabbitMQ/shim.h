#ifndef TENANTRY_CLIBRABBITMQ_SHIM_H
#define TENANTRY_CLIBRABBITMQ_SHIM_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

/* Swift cannot call variadic functions: amqp_login_with_properties takes user and password as varargs. */
static inline amqp_rpc_reply_t tenantry_amqp_login_plain(amqp_connection_state_t state, const char *virtual_host, int channel_max,
                                                         int frame_max, int heartbeat_seconds, const amqp_table_t *properties,
                                                         const char *user, const char *password) {
    return amqp_login_with_properties(state, virtual_host, channel_max, frame_max, heartbeat_seconds, properties,
                                      AMQP_SASL_METHOD_PLAIN, user, password);
}

#endif
