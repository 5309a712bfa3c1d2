"""What a LangGraph server needs beyond the graphs: who is asking, whose things are whose, our routes."""
