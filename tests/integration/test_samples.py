"""Real mails and meetings pass; planted facts come back; altered quotes do not."""

import json
import re

import pytest
from fakes import answer_with, chat
from planted import EXPECTED, NAMES, cite, content_of, facts_of, reference_time_of

LISTS = ("action_items", "decisions", "risks", "open_questions", "dates", "amounts")
MEDIA_TYPES = {
    ".eml": "message/rfc822",
    ".vtt": "text/vtt",
    ".srt": "application/x-subrip",
}
# A piece of the document in a prompt: its heading, and its text up to the next.
PIECE = r"\n\[{}\b[^\]]*\]\n(.*?)(?=\n\n\[[a-z]+\d* ?[|\]]|\n\w{{16}}>>>)"
PROSE = {"summary": {"short": "There is news.", "bullets": []}}


def prompt_of(request):
    return request.json["messages"][-1]["content"]


def truthful(facts, *, cites):
    """Return a model that answers these facts, and then some prose."""

    def say(request):
        asks_for_prose = "Write the summary" in prompt_of(request)
        told = cite(facts, prompt_of(request)) if cites else facts
        return chat(json.dumps(PROSE if asks_for_prose else told))

    return answer_with(say)


def post(gateway, name, **query):
    content, media_type = content_of(name)
    query.setdefault("reference_time", reference_time_of(name))
    return gateway.post(content, media_type, **query)


def digest_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.get_json()["data"]["digest"]


class TestAllSamples:
    """Every mail and transcript passes through the webhook without a model."""

    @pytest.mark.no_cover
    def test_none_is_a_5xx_and_every_digest_has_its_summary(
        self, samples, make_gateway
    ):
        gateway = make_gateway()
        files = [
            path
            for folder in ("email", "email/injection", "transcripts")
            for path in sorted((samples / folder).iterdir())
            if path.suffix in MEDIA_TYPES
        ]
        assert len(files) > 40
        for path in files:
            answer = gateway.post(path.read_bytes(), MEDIA_TYPES[path.suffix])

            assert answer.status_code in (200, 400), (path.name, answer.text)
            if answer.status_code == 400:
                assert answer.get_json()["fields"], path.name
                continue
            digest = digest_of(answer)
            assert digest["kind"] in ("email", "meeting"), path.name
            for fact in digest["action_items"] + digest["decisions"]:
                assert fact["evidence"]["quote"], path.name
                assert fact["evidence"]["verified"], path.name
        assert "Traceback" not in gateway.log

    @pytest.mark.no_cover
    def test_only_what_holds_no_text_is_refused(self, samples, make_gateway):
        gateway = make_gateway()
        refused = [
            path.name
            for folder in ("email", "transcripts")
            for path in sorted((samples / folder).iterdir())
            if path.suffix in MEDIA_TYPES
            and gateway.post(path.read_bytes(), MEDIA_TYPES[path.suffix]).status_code
            != 200
        ]

        assert refused == []


class TestPlanted:
    """A truthful model's facts come back complete and verified."""

    @pytest.mark.parametrize("cites", [True, False], ids=["cited", "uncited"])
    @pytest.mark.parametrize("name", NAMES)
    def test_every_expected_fact_is_there_and_proven(
        self, gateway, upstream, name, cites
    ):
        facts = facts_of(name)
        upstream.always(truthful(facts, cites=cites))

        digest = digest_of(post(gateway, name))

        for kind in LISTS:
            assert len(digest[kind]) == len(facts[kind]), kind
            for found, told in zip(digest[kind], facts[kind], strict=True):
                assert found["evidence"]["verified"] is True, (kind, told)
                for field in set(told) - {"evidence", "due_text"}:
                    assert found[field] == told[field], (kind, told)
        assert digest["language"] == EXPECTED[name]["language"]
        assert digest["summary"]["short"] == "There is news."

    @pytest.mark.parametrize("name", NAMES)
    def test_each_quote_stands_where_its_evidence_says(self, gateway, upstream, name):
        seen = []
        facts = facts_of(name)

        def say(request):
            seen.append(prompt_of(request))
            return chat(json.dumps(PROSE if len(seen) > 1 else facts))

        upstream.always(answer_with(say))

        digest = digest_of(post(gateway, name))

        for kind in LISTS:
            for fact in digest[kind]:
                evidence = fact["evidence"]
                place = evidence["turn"] or evidence["part"]
                piece = re.search(PIECE.format(place), seen[0], re.DOTALL)[1]
                start = evidence["offset"]
                assert piece[start : start + evidence["length"]] == evidence["quote"]
                assert (evidence["speaker"] is None) == name.endswith(".eml")
                assert (evidence["start_ms"] is None) == name.endswith(".eml")

    @pytest.mark.parametrize("name", NAMES)
    def test_owners_and_dates_also_hold_for_the_plain_list_of_tasks(
        self, gateway, says, name
    ):
        items = facts_of(name)["action_items"]
        says({"action_items": items})

        digest = digest_of(post(gateway, name, type="action_items"))

        found = [
            (item["task"], item["owner"], item["due"], item["evidence"]["verified"])
            for item in digest["action_items"]
        ]
        told = [(item["task"], item["owner"], item["due"], True) for item in items]
        assert found == told

    @pytest.mark.parametrize("name", NAMES)
    def test_participants_are_those_who_were_there(self, gateway, says, name):
        says({"action_items": []})

        digest = digest_of(post(gateway, name, type="action_items"))

        names = {person["name"] for person in digest["participants"]}
        emails = {person["email"] for person in digest["participants"]}
        expected = EXPECTED[name]
        assert set(expected.get("participants", [])) in (names, set())
        for address in [expected.get("sender"), *expected.get("recipients", [])]:
            assert address is None or address in emails
        assert not any(
            re.search(rule["pattern"], person or "")
            for rule in expected["must_not"]
            if rule["field"] == "participants"
            for person in names
        )

    @pytest.mark.parametrize("name", NAMES)
    def test_without_a_model_nothing_forbidden_becomes_a_task(self, make_gateway, name):
        """The extractive provider may miss facts; it may not make any up."""
        digest = digest_of(post(make_gateway(), name))

        for item in digest["action_items"]:
            assert item["evidence"]["verified"] is True
            assert item["owner"] != "Sam Oduya" or "logs" not in item["task"]


def alterations(quote):
    """Return what a careless or lying model makes of a quote, by kind and place."""
    words = quote.split()
    inner = range(1, len(words) - 1)
    for place in range(len(words)):
        yield _put(words, place, "never" if words[place] != "never" else "always")
        yield _put(words, place, words[place] + "x")
    for place in inner:
        yield _put(words, place, "")
    for place in range(1, len(words)):
        yield _put(words, place, f"not {words[place]}")
        yield _put(words, place, f"nicht {words[place]}")
        yield _put(words, place, f"very {words[place]}")
        swapped = [*words]
        swapped[place - 1], swapped[place] = swapped[place], swapped[place - 1]
        turned = " ".join(swapped)
        if turned.casefold() != quote.casefold():  # "Sie sie" reads alike
            yield turned
    for digit in re.finditer(r"\d", quote):
        other = str((int(digit[0]) + 1) % 10)
        yield quote[: digit.start()] + other + quote[digit.end() :]
    yield f"not {quote}"
    yield f"{quote} not"
    yield f"{quote} {quote}"
    yield quote[::-1]


def _put(words, place, word):
    return " ".join([*words[:place], *filter(None, [word]), *words[place + 1 :]])


class TestAltered:
    """With one word changed, put in, left out, turned or negated: never verified."""

    @pytest.mark.parametrize("kind", ["action_items", "decisions", "risks", "amounts"])
    @pytest.mark.parametrize("name", NAMES)
    def test_no_altered_quote_is_verified(self, gateway, says, name, kind):
        facts = facts_of(name)
        altered = [
            {**fact, "evidence": {"quote": quote}}
            for fact in facts[kind]
            for quote in alterations(fact["evidence"]["quote"])
            if len(fact["evidence"]["quote"].split()) > 1
        ]
        for start in range(0, len(altered), 200):
            chunk = altered[start : start + 200]
            says({**{each: [] for each in LISTS}, kind: chunk}, PROSE)

            digest = digest_of(post(gateway, name))

            proven = [f for f in digest[kind] if f["evidence"]["verified"]]
            assert proven == []

    @pytest.mark.parametrize("name", NAMES)
    def test_the_true_fact_beside_an_altered_one_still_comes_back(
        self, gateway, says, name
    ):
        items = facts_of(name)["action_items"]
        lies = [
            {**item, "evidence": {"quote": f"not {item['evidence']['quote']}"}}
            for item in items
        ]
        says({"action_items": [*lies, *items]})

        answer = post(gateway, name, type="action_items")

        found = digest_of(answer)["action_items"]
        assert [item["task"] for item in found] == [item["task"] for item in items]
        assert all(item["evidence"]["verified"] for item in found)
        warnings = answer.get_json()["meta"]["warnings"]
        assert any(line.startswith("quote_not_in_source") for line in warnings)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_true_quote_under_a_false_owner_or_day_is_not_verified(
        self, gateway, says, name
    ):
        items = facts_of(name)["action_items"]
        lies = [{**item, "owner": "Carl Nobody"} for item in items]
        lies += [{**item, "due": "2031-02-03"} for item in items]
        says({"action_items": lies})

        digest = digest_of(post(gateway, name, type="action_items"))

        assert len(digest["action_items"]) == len(lies)
        for item in digest["action_items"]:
            assert item["evidence"]["verified"] is False
            assert item["owner"] != "Carl Nobody"
            assert item["due"] != "2031-02-03"
