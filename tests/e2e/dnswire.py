"""DNS messages as bytes and as text: what the tests send, and what they compare.

Only what tests need: queries are built with every header bit under control (also wrong ones), replies are taken apart
strictly (a reply that does not parse to its last octet is an error). Records are shown as one line of text,
"owner ttl class type rdata", the form used in tests/data/rbldnsd_cases.json.
"""
import dataclasses
import socket
import struct

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "NULL": 10, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28,
    "SRV": 33, "OPT": 41, "DS": 43, "DNSKEY": 48, "HTTPS": 65, "SPF": 99, "TSIG": 250, "IXFR": 251, "AXFR": 252,
    "ANY": 255, "URI": 256, "CAA": 257,
}
CLASSES = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 16: "BADVERS"}
TYPE_TEXT = {number: text for text, number in TYPES.items()}
CLASS_TEXT = {number: text for text, number in CLASSES.items()}
FLAG_BITS = {"qr": 0x8000, "aa": 0x400, "tc": 0x200, "rd": 0x100, "ra": 0x80, "z": 0x40, "ad": 0x20, "cd": 0x10}


class Malformed(ValueError):
    """The octets are no DNS message."""


def type_number(text):
    text = str(text).upper()
    return TYPES[text] if text in TYPES else int(text.removeprefix("TYPE"))


def class_number(text):
    text = str(text).upper()
    return CLASSES[text] if text in CLASSES else int(text.removeprefix("CLASS"))


def type_text(number):
    return TYPE_TEXT.get(number, f"TYPE{number}")


def class_text(number):
    return CLASS_TEXT.get(number, f"CLASS{number}")


def rcode_text(number):
    return RCODES.get(number, str(number))


# ---- names

def split_labels(text):
    """Presentation form -> labels as bytes; the final root label is left out. Accepts \\. and \\DDD."""
    labels, label, i = [], bytearray(), 0
    if text in ("", "."):
        return []
    while i < len(text):
        char = text[i]
        if char == "\\":
            if text[i + 1:i + 4].isdigit():
                label.append(int(text[i + 1:i + 4]))
                i += 4
            else:
                label.append(ord(text[i + 1]))
                i += 2
            continue
        if char == ".":
            labels.append(bytes(label))
            label = bytearray()
        else:
            label += char.encode("latin1")
        i += 1
    if label:
        labels.append(bytes(label))
    return labels


def encode_name(text):
    return b"".join(bytes([len(label)]) + label for label in split_labels(text)) + b"\0"


def label_text(label):
    out = ""
    for octet in label:
        if octet in b'."\\;@$()':
            out += "\\" + chr(octet)
        elif 0x21 <= octet <= 0x7e:
            out += chr(octet)
        else:
            out += f"\\{octet:03d}"
    return out


def decode_name(message, offset):
    """-> (presentation form with final dot, offset behind the name)."""
    labels, after, jumps = [], None, 0
    while True:
        if offset >= len(message):
            raise Malformed("name beyond the end")
        length = message[offset]
        if length & 0xc0 == 0xc0:
            if after is None:
                after = offset + 2
            offset = (length & 0x3f) << 8 | message[offset + 1]
            jumps += 1
            if jumps > 60:
                raise Malformed("compression loop")
            continue
        if length & 0xc0:
            raise Malformed("label type")
        offset += 1
        if length == 0:
            break
        if offset + length > len(message):
            raise Malformed("label beyond the end")
        labels.append(label_text(message[offset:offset + length]))
        offset += length
    return ".".join(labels) + ".", offset if after is None else after


# ---- queries

@dataclasses.dataclass
class Query:
    """One request. `flags` names header bits; `edns` is the UDP size offered, None for no OPT."""
    name: str
    type: str = "A"
    klass: str = "IN"
    flags: tuple = ()
    opcode: int = 0
    rcode: int = 0
    edns: int = None
    edns_version: int = 0
    edns_flags: int = 0
    edns_options: bytes = b""
    question_count: int = 1     # QDCOUNT
    questions: int = None       # how many questions really follow; None: as many as counted
    trailing: bytes = b""
    source: str = None          # client address; None: the default one

    def encode(self, query_id):
        flags = self.opcode << 11 | self.rcode
        for flag in self.flags:
            flags |= FLAG_BITS[flag]
        question = encode_name(self.name) + struct.pack(">HH", type_number(self.type), class_number(self.klass))
        opt = b""
        if self.edns is not None:
            opt = b"\0" + struct.pack(">HHBBHH", TYPES["OPT"], self.edns, 0, self.edns_version, self.edns_flags,
                                      len(self.edns_options)) + self.edns_options
        count = self.question_count if self.questions is None else self.questions
        header = struct.pack(">6H", query_id, flags, self.question_count, 0, 0, 1 if opt else 0)
        return header + question * count + opt + self.trailing

    def __str__(self):
        extra = [*self.flags]
        if self.opcode:
            extra.append(f"opcode={self.opcode}")
        if self.edns is not None:
            extra.append(f"edns={self.edns}/{self.edns_version}/{self.edns_flags:#x}")
        if self.trailing:
            extra.append(f"trailing={self.trailing.hex()}")
        if self.source:
            extra.append(f"from={self.source}")
        return " ".join([self.name, self.klass, str(self.type), *extra])


# ---- replies

@dataclasses.dataclass
class Record:
    owner: str
    type: int
    klass: int
    ttl: int
    text: str       # presentation form of RDATA
    rdata: bytes    # as received, compressed names not followed

    def __str__(self):
        if self.type == TYPES["OPT"]:
            return f"{self.owner} OPT {self.text}"
        return f"{self.owner} {self.ttl} {class_text(self.klass)} {type_text(self.type)} {self.text}"


@dataclasses.dataclass
class Reply:
    id: int
    flags: list             # names of the bits that are set, in header order
    opcode: int
    rcode: str              # extended by OPT when there is one
    question: list
    answer: list
    authority: list
    additional: list        # without OPT
    opt: Record = None
    trailing: int = 0
    size: int = 0
    wire: bytes = b""

    def texts(self, section):
        return [str(record) for record in getattr(self, section)]


def character_string(octets):
    out = ""
    for octet in octets:
        if octet in b'"\\':
            out += "\\" + chr(octet)
        else:
            out += chr(octet) if 0x20 <= octet <= 0x7e else f"\\{octet:03d}"
    return f'"{out}"'


def rdata_text(message, kind, offset, length):
    data = message[offset:offset + length]
    if kind == TYPES["A"] and length == 4:
        return ".".join(map(str, data))
    if kind == TYPES["AAAA"] and length == 16:
        return socket.inet_ntop(socket.AF_INET6, data)
    if kind in (TYPES["NS"], TYPES["CNAME"], TYPES["PTR"]):
        return decode_name(message, offset)[0]
    if kind == TYPES["MX"]:
        return f"{struct.unpack('>H', data[:2])[0]} {decode_name(message, offset + 2)[0]}"
    if kind == TYPES["SOA"]:
        primary, after = decode_name(message, offset)
        person, after = decode_name(message, after)
        return " ".join([primary, person, *map(str, struct.unpack(">5I", message[after:after + 20]))])
    if kind == TYPES["TXT"]:
        strings, at = [], 0
        while at < length:
            strings.append(character_string(data[at + 1:at + 1 + data[at]]))
            at += 1 + data[at]
        return " ".join(strings)
    return f"\\# {length} {data.hex()}"


def decode_record(message, offset):
    owner, offset = decode_name(message, offset)
    if offset + 10 > len(message):
        raise Malformed("record header beyond the end")
    kind, klass, ttl, length = struct.unpack(">HHIH", message[offset:offset + 10])
    offset += 10
    if offset + length > len(message):
        raise Malformed("RDATA beyond the end")
    if kind == TYPES["OPT"]:
        text = f"udp={klass} ext={ttl:08x} rdlen={length}"
    else:
        text = rdata_text(message, kind, offset, length)
    return Record(owner, kind, klass, ttl, text, message[offset:offset + length]), offset + length


def decode(message):
    """Takes a reply apart. Raises Malformed."""
    if len(message) < 12:
        raise Malformed("shorter than a header")
    try:
        return _decode(message)
    except (IndexError, struct.error) as error:
        raise Malformed(str(error)) from error


def _decode(message):
    query_id, flags, *counts = struct.unpack(">6H", message[:12])
    reply = Reply(query_id, [name for name, bit in FLAG_BITS.items() if flags & bit], flags >> 11 & 15, "", [], [], [],
                  [], size=len(message), wire=message)
    offset = 12
    for _ in range(counts[0]):
        name, offset = decode_name(message, offset)
        kind, klass = struct.unpack(">HH", message[offset:offset + 4])
        offset += 4
        reply.question.append(f"{name} {class_text(klass)} {type_text(kind)}")
    rcode = flags & 15
    for section, count in zip((reply.answer, reply.authority, reply.additional), counts[1:]):
        for _ in range(count):
            record, offset = decode_record(message, offset)
            if record.type != TYPES["OPT"]:
                section.append(record)
            elif reply.opt is not None or section is not reply.additional:
                raise Malformed("a second OPT, or one outside the additional section")
            else:
                reply.opt = record
                rcode |= record.ttl >> 24 << 4
    reply.rcode = rcode_text(rcode)
    reply.trailing = len(message) - offset
    return reply
