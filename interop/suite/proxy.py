"""A proxy that connects every name to one local port, for clients that know one address only."""

import socket
import socketserver
import threading


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        if not self.rfile.readline().startswith(b"CONNECT "):
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.server.target)) as inner:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_carry, args=(inner, self.connection), daemon=True)
            back.start()
            _carry(self.connection, inner)
            back.join()


def _carry(source, sink):
    try:
        while some := source.recv(1 << 16):
            sink.sendall(some)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # Either side may hang up at any time.


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # Whoever still holds a tunnel is no reason to wait.
    block_on_close = False


class Proxy:
    """Runs as long as the block lasts."""

    def __init__(self, port):
        self.server = _Server(("127.0.0.1", 0), _Tunnel)
        self.server.target = port

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
