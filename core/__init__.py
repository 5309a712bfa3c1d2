"""The words of the project as types: settings, records, graph states, errors. Imports nothing of ours."""
