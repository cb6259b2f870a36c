"""Writes a language model of half a megabyte with random weights, in GGUF.

It answers noise, but a real engine serves it over its real protocol. The file is run
by the engine's own interpreter, which has gguf and numpy:

    python tiny_model.py MODEL.gguf
"""

import string
import sys
from collections.abc import Iterator

import numpy as np
from gguf import GGUFWriter, PoolingType, TokenType

ARCHITECTURE = "llama"
WIDTH = 64
HEADS = 4
BLOCKS = 2
INNER_WIDTH = 2 * WIDTH
TRAINED_CONTEXT = 2048
SEED = 20261121

BLANK = "\N{LOWER ONE EIGHTH BLOCK}"  # SentencePiece's sign for a space
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n"
    "{% endfor %}assistant:"
)

Token = tuple[str, TokenType, float]


def vocabulary() -> list[Token]:
    """Return every token with its type and score: three signs, all bytes, all letters.

    The bytes make sure that any text can be said; letters score higher.
    """
    signs = [
        ("<unk>", TokenType.UNKNOWN, 0.0),
        ("<s>", TokenType.CONTROL, 0.0),
        ("</s>", TokenType.CONTROL, 0.0),
    ]
    of_bytes = [(f"<0x{code:02X}>", TokenType.BYTE, -1e4) for code in range(256)]
    letters = [BLANK, *string.ascii_letters, *string.digits, *string.punctuation]
    spoken = [
        (letter, TokenType.NORMAL, -float(rank)) for rank, letter in enumerate(letters)
    ]
    return [*signs, *of_bytes, *spoken]


def shapes(n_tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name and the shape of every tensor of the architecture."""
    square, vector = (WIDTH, WIDTH), (WIDTH,)
    yield "token_embd.weight", (n_tokens, WIDTH)
    yield "output.weight", (n_tokens, WIDTH)
    yield "output_norm.weight", vector
    for block in range(BLOCKS):
        yield from (
            (f"blk.{block}.{part}.weight", shape)
            for part, shape in {
                "attn_norm": vector,
                "attn_q": square,
                "attn_k": square,
                "attn_v": square,
                "attn_output": square,
                "ffn_norm": vector,
                "ffn_gate": (INNER_WIDTH, WIDTH),
                "ffn_up": (INNER_WIDTH, WIDTH),
                "ffn_down": (WIDTH, INNER_WIDTH),
            }.items()
        )


def write_model(path: str) -> None:
    """Write the model; the same one each time."""
    writer = GGUFWriter(path, ARCHITECTURE)
    tokens = vocabulary()
    _describe(writer, tokens)
    random = np.random.default_rng(SEED)
    for name, shape in shapes(len(tokens)):
        is_norm = len(shape) == 1
        values = np.ones(shape) if is_norm else random.normal(0, 0.05, shape)
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: GGUFWriter, tokens: list[Token]) -> None:
    writer.add_context_length(TRAINED_CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER_WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    texts, kinds, scores = zip(*tokens, strict=True)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model(ARCHITECTURE)
    writer.add_token_list(list(texts))
    writer.add_token_types(list(kinds))
    writer.add_token_scores(list(scores))
    for place, add in enumerate(
        (writer.add_unk_token_id, writer.add_bos_token_id, writer.add_eos_token_id)
    ):
        add(place)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
    writer.add_pooling_type(PoolingType.MEAN)


if __name__ == "__main__":
    write_model(sys.argv[1])
