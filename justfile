# The commands of daily work. `just` lists them.

default:
    @just --list

# run everything
up *arguments:
    ./minos up {{arguments}}

# run the tests
test *arguments:
    ./minos test {{arguments}}

# style, types and borders
check:
    uv run ruff check .
    uv run ruff format --check .
    uv run lint-imports
    uv run mypy
    uv run pyright

# put the code into the house format
format:
    uv run ruff check --fix .
    uv run ruff format .

# the tests, with the lines and branches they do not reach
coverage *arguments:
    uv run coverage erase
    uv run coverage run -m pytest {{arguments}}
    uv run coverage combine --quiet
    uv run coverage report

# measure
bench *arguments:
    uv run python -m bench {{arguments}}

# what every change must pass
ci:
    .ci/run

# write the pages that are made from the code
docs *arguments:
    uv run python -m docs.generate {{arguments}}

# put real output into the pages that show commands
record *pages:
    uv run python -m docs.record {{pages}}
