"""The answer webhook as tutorials write it: Flask, boto3, one item per call.

It does what our `answer` does for a line that rings: checks Vonage's signature and the hash of the
body, writes the call, answers with a `connect`. It knows no plan, no second delivery, no queue.
"""

import hashlib
import os
import time

import boto3
import jwt
from apig_wsgi import make_lambda_handler
from flask import Flask, abort, jsonify, request

SECRET = os.environ["VONAGE_SIGNATURE_SECRET"]
APPLICATION = os.environ["VONAGE_APPLICATION_ID"]

app = Flask(__name__)
table = boto3.resource("dynamodb").Table(os.environ["SWITCHBOARD_TABLE"])


@app.post("/webhooks/answer")
def answer():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        abort(401)
    body_hash = hashlib.sha256(request.get_data()).hexdigest()
    if claims.get("payload_hash") != body_hash or claims.get("application_id") != APPLICATION:
        abort(401)
    call = request.get_json()
    table.put_item(
        Item={
            "pk": f"PYTHON#{call['uuid']}",
            "sk": "CALL",
            "conversation": call["conversation_uuid"],
            "from": call["from"],
            "to": call["to"],
            "at": int(time.time()),
        }
    )
    endpoint = [{"type": "phone", "number": "447700900011"}]
    return jsonify([{"action": "connect", "from": call["to"], "endpoint": endpoint}])


handler = make_lambda_handler(app)
