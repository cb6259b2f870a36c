"""The least that a proxy on Flask and requests can be: what we are measured against.

Served by gunicorn with the gateway's own worker settings; UPSTREAM is its target.
"""

import os

import requests
from flask import Flask, Response, request

application = Flask(__name__)
session = requests.Session()
adapter = requests.adapters.HTTPAdapter(pool_maxsize=256)
session.mount("http://", adapter)


@application.post("/v1/chat/completions")
def proxy() -> Response:
    """Pass the request on, and the answer back."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
    url = f"{os.environ['UPSTREAM']}/v1/chat/completions"
    is_stream = b'"stream"' in request.get_data()
    reply = session.post(
        url, data=request.get_data(), headers=headers, stream=is_stream
    )
    content_type = reply.headers["Content-Type"]
    body = reply.iter_content(None) if is_stream else reply.content
    return Response(body, reply.status_code, content_type=content_type)
