# Generates src/api/schema.d.ts, the types of our routes, from the server's OpenAPI.
set -e
cd "$(dirname "$0")"
schema=$(mktemp)
trap 'rm -f "$schema"' EXIT
../.venv/bin/python -c 'import json; from personaagent.server.app import app; print(json.dumps(app.openapi()))' > "$schema"
npx openapi-typescript "$schema" -o src/api/schema.d.ts
