"""The mail that the tests of the digest types are about."""

MAIL = b"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Invoice 4711
Date: Mon, 05 Oct 2026 09:00:00 +0200
Message-ID: <1@mail.example>
Content-Type: text/plain; charset=utf-8

Hello Ben,

the invoice 4711 of 1,250.00 EUR is still open and I am not happy about it.
Please pay it by Friday, 9 October. Details are at https://pay.example.com/4711.
We decided to stop deliveries until then.

Ada
"""

QUOTE = "Please pay it by Friday, 9 October."
LINK = "https://evil.example/collect"


def evidence(quote=QUOTE):
    return {"quote": quote, "part": "p1"}


def digest_of(response):
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()["data"]["digest"]


def warnings_of(response):
    return {line.split(":")[0] for line in response.get_json()["meta"]["warnings"]}
