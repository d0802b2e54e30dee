"""Counts visits in redis. The host gives PORT, the spec gives REDIS."""

import http.server
import os
import socket


def increment(key):
    """Send one INCR in the protocol of redis, and return the number it answers with."""
    host, port = os.environ["REDIS"].split(":")
    with socket.create_connection((host, int(port)), timeout=2) as connection:
        connection.sendall(f"*2\r\n$4\r\nINCR\r\n${len(key)}\r\n{key}\r\n".encode())
        with connection.makefile("rb") as answer:
            line = answer.readline()
    if not line.startswith(b":"):
        raise OSError(f"redis said {line!r}")
    return int(line[1:])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, text = 200, f"visit {increment('visits')}\n"
        except OSError as error:
            status, text = 503, f"cannot count: {error}\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    address = ("127.0.0.1", int(os.environ["PORT"]))
    with http.server.ThreadingHTTPServer(address, Handler) as server:
        print(f"listening on {address[0]}:{address[1]}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("asked to stop, bye")


if __name__ == "__main__":
    main()
