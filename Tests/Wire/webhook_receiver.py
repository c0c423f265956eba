"""A receiver of webhooks for the tests: python3 webhook_receiver.py SECRET_FILE [CERTIFICATE KEY]

It verifies with the public library of Standard Webhooks, over TLS where a certificate is given. The first line that it prints is its port, and
each line after that a call: its path, and what the library made of it.
"""

import http.server
import json
import pathlib
import ssl
import sys

from standardwebhooks.webhooks import Webhook


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = {"path": self.path}
        try:
            secret = pathlib.Path(sys.argv[1]).read_text().strip()
            call["event"] = Webhook(secret).verify(body, headers)
        except Exception as error:
            call["error"] = repr(error)
        print(json.dumps(call), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
