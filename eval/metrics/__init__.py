"""What is told of many answers: metrics, intervals, differences in pairs."""
