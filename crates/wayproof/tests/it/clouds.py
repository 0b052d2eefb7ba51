"""What others say of requests to clouds: botocore signs a captured request anew, and Anthropic's SDK asks the same fake.

Reads a request as JSON from the standard input and prints what botocore makes of it.
"""

import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore import auth as botocore_auth
import datetime

request = json.load(sys.stdin)
headers = request["headers"]
stamp = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")


class Frozen(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return stamp

    @classmethod
    def now(cls, tz=None):
        return stamp.replace(tzinfo=tz)


# The one clock that botocore reads, wherever this version keeps it.
if hasattr(botocore_auth, "get_current_datetime"):
    botocore_auth.get_current_datetime = lambda remove_tzinfo=True: stamp
if hasattr(botocore_auth, "datetime"):
    module = botocore_auth.datetime
    if hasattr(module, "datetime"):
        module.datetime = Frozen
    else:
        botocore_auth.datetime = Frozen

signed = [part.split("=")[1] for part in headers["authorization"].split(", ") if part.startswith("SignedHeaders")][0]
kept = {name: headers[name] for name in signed.split(";") if name not in ("host", "x-amz-date", "x-amz-security-token")}
made = AWSRequest(
    method=request["method"],
    url="http://" + headers["host"] + request["path"],
    headers=kept,
    data=request["body"].encode(),
)
credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a-session-token")
SigV4Auth(credentials, "bedrock", request["region"]).add_auth(made)
print(made.headers["Authorization"])
