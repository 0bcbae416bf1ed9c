"""Judges requests by the rules R1 to R17 in plain Python, without any package.

It reads a vector a line from the standard input and writes {"valid": true} or {"valid": false} a line. It is written to be
read, next to docs/how-twilio-signs.md. In production, use a library.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
from urllib.parse import unquote_to_bytes

ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


def pairs(text):
    """R1, R4: the decoded names and values of a form or a query, whatever they are called."""
    split = [pair.partition("=") for pair in text.split("&") if pair]
    decode = lambda part: unquote_to_bytes(part.replace("+", " "))
    return [(decode(name), decode(value)) for name, _, value in split]


def signed(parameters):
    """R2, R3: pairs that are there twice count once, and bytes give the order, first of the name and then of the value."""
    return b"".join(name + value for name, value in sorted(set(parameters)))


def toggled_port(url, scheme):
    """R10.2, R11: the authority without its port, or with the default one. User info and IPv6 addresses have colons too."""
    start = url.index("://") + 3
    end = start + re.search(r"[/?#]|$", url[start:]).start()
    host = re.search(r"[^@]*$", url[start:end]).group()
    port = re.search(r":\d+$", host)
    if port:
        return url[: end - len(port.group())] + url[end:]
    return f"{url[:end]}:{443 if scheme in ('https', 'wss') else 80}{url[end:]}"


def candidates(url, method):
    """R10: each text that Twilio may have signed for this URL. R9: it is cut and put together again, and never parsed."""
    scheme = url.partition("://")[0]
    socket = method == "GET" and scheme in ("ws", "wss")
    for whole in (url, url.partition("#")[0]):
        for base in (whole, toggled_port(whole, scheme)):
            path, mark, query = base.partition("?")
            yield base, []
            if socket:  # R12
                other = path[:-1] if path.endswith("/") else path + "/"
                for text in (path, other):
                    yield text + mark + query, []
                    yield text, pairs(query)
            elif path.endswith("/") and path.count("/") == 3:
                yield path[:-1] + mark + query, []
            bare = query.replace("%27", "'").replace("%40", "@").replace("%3A", ":")
            if not socket:
                yield path + mark + bare, []


def parameters(vector, body):
    """R5 to R8: the parameters that are signed, or None if the signature can't cover this body."""
    kind, _, settings = (vector["content_type"] or "").lower().partition(";")
    is_form = kind.strip() == "application/x-www-form-urlencoded" and vector["method"] not in ("GET", "HEAD")
    encodings = {name.lower(): value for name, value in vector.get("headers", {}).items()}
    if encodings.get("content-encoding", "identity") != "identity":  # R8
        return None
    charset = re.search(r"charset=\"?([^\";]*)", settings)
    if is_form and charset and charset.group(1).strip() not in ("utf-8", "utf8"):
        return None
    if is_form and body:
        return pairs(body.decode())
    query = vector["url"].partition("#")[0].partition("?")[2]
    hashes = {value for name, value in pairs(query) if name == b"bodySHA256"}  # R7
    if not body and (not hashes or vector["method"] in ("GET", "HEAD")):
        return []
    return [] if hashes == {hashlib.sha256(body).hexdigest().encode()} else None


def keys(vector):
    """R16, R17: the keys that may have signed, and the algorithm; no key if the request names one that is not known."""
    secret, tokens = vector["token"], vector.get("tokens", [])
    settings = (vector.get("settings_header") or "").strip()
    if settings:
        fields = dict(field.strip().partition("=")[::2] for field in settings.split(","))
        known = "shared_key_id" in vector and fields.get("key") == vector["shared_key_id"]
        return [secret] if known else [], fields.get("algorithm", "HMAC_SHA1")
    return tokens if "shared_key_id" in vector else [secret, *tokens], "HMAC_SHA1"


def is_valid(vector):
    """R13, R14: the signature is the one text that a key makes of a candidate, and it is there once."""
    headers = [value for name, value in vector.get("headers", {}).items() if name.lower() == "x-twilio-signature"]
    signatures = {text for text in (vector["signature"], *headers) if text is not None}
    secrets, algorithm = keys(vector)
    form = parameters(vector, (vector["body"] or "").encode())
    if len(signatures) != 1 or form is None or algorithm not in ALGORITHMS:
        return False
    if not all(secret.strip(" \t\r\n\0") for secret in secrets):  # R15
        return False
    given, found = signatures.pop().encode(), False
    for secret in secrets:
        for url, query in candidates(vector["url"], vector["method"]):
            mac = hmac.new(secret.encode(), url.encode() + signed(form + query), ALGORITHMS[algorithm])
            found |= hmac.compare_digest(base64.b64encode(mac.digest()), given)
    return found


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps({"valid": is_valid(json.loads(line))}), flush=True)
