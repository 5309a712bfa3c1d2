"""The words of the project as types: settings, records, graph states, errors. Imports nothing of ours."""

import os

# onnxruntime, which embeds texts, and which qdrant_client too imports, reports to its makers
# unless this is set before it is first imported: and nothing is to leave the machine unasked.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
