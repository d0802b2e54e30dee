"""A small HTTP service that can be replaced while it is asked.

It shares its port with the process that takes its place, says when it is ready, and answers what it has
accepted before it ends.
"""

import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = os.environ.get("VERSION", "0")
ending = threading.Event()
idle = threading.Condition()
asked = 0


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        global asked
        with idle:
            asked += 1
        try:
            body = f"version {VERSION} of instance {os.environ.get('HOST_INSTANCE', '?')}\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if ending.is_set():
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body)
        finally:
            with idle:
                asked -= 1
                idle.notify_all()

    def log_message(self, *_):
        pass


def notify(text):
    where = os.environ.get("NOTIFY_SOCKET")
    if where:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(text.encode(), "\0" + where[1:] if where.startswith("@") else where)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


def main():
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Api)
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: ending.set())
    accepting = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    accepting.start()
    notify("READY=1")
    print(f"version {VERSION} is ready on port {os.environ['PORT']}")
    ending.wait()
    notify("STOPPING=1")
    server.shutdown()
    server.server_close()
    with idle:
        idle.wait_for(lambda: asked == 0, timeout=5)
    print(f"version {VERSION} ends")


main()
