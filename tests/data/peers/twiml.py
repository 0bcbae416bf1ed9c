"""Builds TwiML with the official builder for Python.

Reads documents from standard input, one a line in JSON, and prints what the builder makes of them: an element is
[name, {attribute: value}, [text or element, ..]]. With --names, prints what the builder knows: a line for each element in each parent, and for each attribute.
"""

import ast
import functools
import inspect
import json
import sys

from twilio.twiml import TwiML, messaging_response, voice_response
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse


def camel(parameter):
    """Returns the attribute that a parameter of the builder sets."""
    name = TwiML.MAP.get(parameter, parameter)
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


@functools.cache
def children(module, parent):
    """Returns what can be inside of a class: (name of the element, method, parameter for the text, attributes)."""
    found = {}
    for method in ast.parse(inspect.getsource(parent)).body[0].body:
        if not isinstance(method, ast.FunctionDef) or method.name == "__init__":
            continue
        calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
        nested = [call.args[0] for call in calls if ast.unparse(call.func) == "self.nest"]
        child = getattr(module, nested[0].func.id)
        text = [name for name in inspect.signature(child.__init__).parameters if name not in ("self", "kwargs")]
        names = [argument.arg for argument in method.args.args[1:] if argument.arg not in text]
        element = child(*["" for _ in text]).name
        found[element] = (method.name, child, text, {camel(name): name for name in names})
    return found


def names():
    for module, root in [(voice_response, VoiceResponse), (messaging_response, MessagingResponse)]:
        todo, seen = [(root, root.__name__)], set()
        while todo:
            parent, label = todo.pop()
            for element, (_, child, _, attributes) in children(module, parent).items():
                print(f"{label}/{element}")
                for attribute in attributes:
                    print(f"{label}/{element} {attribute}")
                if child not in seen:
                    seen.add(child)
                    todo.append((child, element))


def build(module, target, inside):
    """Adds texts and elements to an element of the builder."""
    known = children(module, type(target))
    for part in inside:
        if isinstance(part, str):
            target.append(part)
            continue
        name, attributes, inside = part
        method, _, text, parameters = known[name]
        values = {parameters[attribute]: value for attribute, value in attributes.items()}
        if text:
            first = inside.pop(0) if inside and isinstance(inside[0], str) else None
            values[text[0]] = first
        build(module, getattr(target, method)(**values), inside)


if sys.argv[1:] == ["--names"]:
    names()
    sys.exit()
for line in sys.stdin:
    _, _, inside = json.loads(line)
    is_message = any(name == "Message" for name, *_ in inside)
    module, response = (messaging_response, MessagingResponse()) if is_message else (voice_response, VoiceResponse())
    build(module, response, inside)
    print(response, flush=True)
