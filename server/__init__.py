"""What a LangGraph server needs beyond the graphs: authentication, authorisation and our routes."""
