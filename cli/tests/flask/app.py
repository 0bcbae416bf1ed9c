"""An app that validates as Twilio's Flask tutorial does. Prints its address and runs until killed."""

import os
from functools import wraps

from flask import Flask, abort, request
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse
from werkzeug.serving import make_server

app = Flask(__name__)


def validate_twilio_request(view):
    """Lets requests through whose URL and form match the signature."""

    @wraps(view)
    def validated(*args, **kwargs):
        validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(request.url, request.form, signature):
            abort(403)
        return view(*args, **kwargs)

    return validated


@app.post("/message")
@validate_twilio_request
def message():
    """Reads a parameter, as the tutorial's views do."""
    answer = MessagingResponse()
    answer.message(f"{request.values['From']} wrote: thanks!")
    return str(answer)


@app.route("/any", methods=["GET", "POST"])
@validate_twilio_request
def anything():
    """Takes all that passes the decorator."""
    return "genuine"


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
