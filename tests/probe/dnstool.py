#!/usr/bin/python3
"""A DNS client and a name server for tests.

ask [-t] [-e SIZE] SERVER PORT NAME TYPE   prints the code, flags and answers, one a line
serve ADDRESS PORT MOOD                    answers | silent | truncates | tcp-only | fails
rate SERVER PORT NAME SECONDS [WINDOW]     queries per second and median latency in microseconds
"""
import socket
import struct
import sys
import time

TYPES = {"A": 1, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "ANY": 255}
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def wire_name(name):
    labels = [part for part in name.split(".") if part]
    return b"".join(bytes([len(part)]) + part.encode() for part in labels) + b"\0"


def query(number, name, kind, edns=0):
    packet = struct.pack(">6H", number, 0x100, 1, 0, 0, 1 if edns else 0)
    packet += wire_name(name) + struct.pack(">2H", TYPES[kind], 1)
    return packet + (struct.pack(">BHHIH", 0, 41, edns, 0, 0) if edns else b"")


def read_name(packet, at):
    labels, end = [], None
    while packet[at]:
        if packet[at] & 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", packet, at)[0] & 0x3FFF
            continue
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels), end or at + 1


def show(packet):
    _, flags, questions, answers = struct.unpack_from(">4H", packet)
    words = [CODES.get(flags & 15, str(flags & 15))]
    words += [word for bit, word in ((0x400, "aa"), (0x200, "tc")) if flags & bit]
    print(*words)
    at = 12
    for _ in range(questions):
        at = read_name(packet, at)[1] + 4
    for _ in range(answers):
        _, at = read_name(packet, at)
        kind, _, _, size = struct.unpack_from(">2HIH", packet, at)
        at += 10
        data = packet[at:at + size]
        if kind == 1:
            print(socket.inet_ntop(socket.AF_INET, data))
        elif kind == 28:
            print(socket.inet_ntop(socket.AF_INET6, data))
        elif kind == 12:
            print(read_name(packet, at)[0])
        at += size


def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            sys.exit("closed")
        data += more
    return data


def ask(words):
    tcp, edns = False, 0
    while words[0].startswith("-"):
        if words[0] == "-t":
            tcp = True
        else:
            edns = int(words.pop(1))
        words.pop(0)
    server, port, name, kind = words
    packet = query(4711, name, kind, edns)
    stream = socket.socket(family(server), socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
    stream.settimeout(15)
    stream.connect((server, int(port)))
    if tcp:
        stream.sendall(struct.pack(">H", len(packet)) + packet)
        show(read_exactly(stream, struct.unpack(">H", read_exactly(stream, 2))[0]))
        return
    stream.send(packet)
    show(stream.recv(65535))


def answer(packet, mood, tcp):
    end = read_name(packet, 12)[1] + 4
    if mood == "fails":
        return packet[:2] + b"\x81\x82" + packet[4:6] + b"\0" * 6 + packet[12:end]
    cut = mood == "truncates" and not tcp
    flags = b"\x83\x80" if cut else b"\x81\x80"
    head = packet[:2] + flags + b"\0\1" + (b"\0\0" if cut else b"\0\1") + b"\0" * 4
    record = b"\xc0\x0c" + struct.pack(">2HIH", 1, 1, 5, 4) + bytes([192, 0, 2, 53])
    return head + packet[12:end] + (b"" if cut else record)


def serve(words):
    address, port, mood = words
    udp = socket.socket(family(address), socket.SOCK_DGRAM)
    tcp = socket.socket(family(address), socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if mood != "tcp-only":
        udp.bind((address, int(port)))
    tcp.bind((address, int(port)))
    tcp.listen()
    print("ready", flush=True)
    import select
    while True:
        ready, _, _ = select.select([udp, tcp] if mood != "tcp-only" else [tcp], [], [])
        if udp in ready:
            packet, peer = udp.recvfrom(4096)
            print("udp", read_name(packet, 12)[0], flush=True)
            if mood != "silent":
                udp.sendto(answer(packet, mood, False), peer)
        if tcp in ready:
            stream, _ = tcp.accept()
            packet = read_exactly(stream, struct.unpack(">H", read_exactly(stream, 2))[0])
            print("tcp", read_name(packet, 12)[0], flush=True)
            if mood != "silent":
                reply = answer(packet, mood, True)
                stream.sendall(struct.pack(">H", len(reply)) + reply)
                stream.close()


def rate(words):
    server, port, name, seconds = words[:4]
    window = int(words[4]) if len(words) > 4 else 1
    sock = socket.socket(family(server), socket.SOCK_DGRAM)
    sock.settimeout(2)
    sock.connect((server, int(port)))
    packets = [query(i, name, "A") for i in range(window)]
    times, count, end = [], 0, time.monotonic() + float(seconds)
    while time.monotonic() < end:
        began = time.perf_counter_ns()
        for packet in packets:
            sock.send(packet)
        for _ in packets:
            sock.recv(512)
        times.append((time.perf_counter_ns() - began) / window / 1000)
        count += window
    print(f"{count / float(seconds):.0f} {sorted(times)[len(times) // 2]:.1f}")


if __name__ == "__main__":
    {"ask": ask, "serve": serve, "rate": rate}[sys.argv[1]](sys.argv[2:])
