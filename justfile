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

# all the tests, seldom ones too, with the lines and branches they do not reach
coverage *arguments:
    uv run coverage erase
    MINOS_TEST_EVERYTHING=1 uv run coverage run -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal {{arguments}}
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

# the things of deploy/ and .github/, by the tools that read them
packaging *arguments:
    uv run --group packaging pytest deploy/checks {{arguments}}

# known vulnerabilities of what is locked
audit:
    AUDIT_REQUIRED=1 .ci/audit

# credentials in the whole history; needs gitleaks
secrets:
    gitleaks detect --no-banner --redact

# the licences of what is shipped; fails where one is unknown or not on the list in pyproject.toml
licences *arguments:
    uv run --group packaging pip-licenses {{arguments}} --packages $(uv export --quiet --frozen --no-dev --extra otel --no-emit-project --no-hashes --no-header --no-annotate | sed 's/[ =;].*//')

# what is shipped, part by part (CycloneDX)
sbom file="dist/minos.cdx.json":
    mkdir -p "$(dirname {{file}})"
    uv export --quiet --frozen --format cyclonedx1.5 --no-dev --extra otel --output-file {{file}} > /dev/null

# everything that a release has
dist: sbom
    uv build --quiet --out-dir dist
    uv build --quiet --out-dir dist sdk/python
    just licences --format=csv --output-file=dist/licences.csv
    rm -f dist/.gitignore
    cd dist && sha256sum * > SHA256SUMS
