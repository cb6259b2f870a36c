"""Samples of the sections of the example file whose names the operator chooses."""

from collections.abc import Mapping

SAMPLES: Mapping[str, str] = {
    "inbound": """\
#inbound:
  #support-mail:
    #sender: postmark
    #username: support-mail
    #password: "${INBOUND_PASSWORD}"
    #api_token: 4fGh2kLm9pQr
    #recipients: [support@in.example.org]
    #digest: {type: action_items, language: en}
    #callback_url: https://hooks.example.org/done
  #other-mail:
    #sender: ses
    #topics: ["arn:aws:sns:eu-west-1:123456789012:mail"]
    #endpoint: end_0123456789
  #meetings:
    #sender: fireflies
    #secret: "${FIREFLIES_SECRET}"
    #api_key: "${FIREFLIES_API_KEY}"
  #calls:
    #sender: generic
    #secret: "${CALLS_SECRET}"
    #mapping: {content: $.data.transcript, event_id: $.id}
""",
    "privacy": """\
#privacy:
  #on_sensitive: ignore
  #rules: [payment_card, iban, national_id, health]
  #patterns: {project: "PRJ-[0-9]{4,8}"}
  #words: {deal: [Project Falcon]}
  #keep_days: 1
  #redact: false
  #names: [Falk Brenner]
""",
    "providers": """\
providers:
  openai: {kind: openai, api_key: "${OPENAI_API_KEY}"}
  azure-eu:
    kind: azure
    base_url: https://acme.openai.azure.com
    api_key: "${AZURE_KEY}"
    api_version: "2024-10-21"
  box: {kind: ollama, models: discover}
  rack:
    kind: vllm
    base_url: http://rack.intern:8000/v1
    allow_plain_http: true
""",
    "deployments": """\
deployments:
  mini:
    provider: openai
    model: gpt-4o-mini
    context_window: 128000
    max_output_tokens: 16384
    capabilities: [json, tools, vision]
    limits:
      requests_per_minute: 500
      tokens_per_minute: 200000
      concurrent_requests: 40
    price:
      {input: 0.15, output: 0.6, cache_read: 0.075, cache_write: 0.15, reasoning: 0.6}
  llama:
    provider: box
    model: "llama3.1:8b"
    tags: [local]
    timeouts:
      first_byte_seconds: 180
      first_token_seconds: 180
      chunk_gap_seconds: 30
      answer_seconds: 240
  qwen: {provider: rack, model: Qwen/Qwen2.5-7B-Instruct, price: {input: 0, output: 0}}
  luna:
    provider: openai
    model: gpt-5.6-luna
    price:
      input: 0.2
      output: 1.2
      tiers:
        - {above: 272000, input: 0.4, output: 1.8, cache_read: 0.04, cache_write: 0.5,
           reasoning: 1.8}
""",
    "routes": """\
routes:
  - alias: fast
    strategy: weighted
    deployments: {mini: 3, qwen: 1}
    fallbacks: [local]
    rescue: match
    require_price: false
    on_sensitive: ignore
    timeouts:
      first_byte_seconds: 20
      first_token_seconds: 5
      chunk_gap_seconds: 10
      answer_seconds: 60
  - alias: clever
    strategy: adaptive
    deployments: {mini: 1, qwen: 1}
    second_price: 0.001
    cache_ttl_seconds: 3600
    cache_any_temperature: false
    cache_shared: false
    single_flight: true
  - {alias: local, deployments: {llama: 1}, rescue: off, fallbacks: [offline]}
  - {pattern: "qwen*", deployments: {qwen: 1}}
  - {capability: code_generation, deployments: {llama: 1}}
""",
    "default_route": "default_route: fast\n",
}
"""By section, as it stands in the file."""
