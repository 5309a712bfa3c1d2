"""LaMP's labels, and the official prompts that turn profile items into queries."""

from typing import NamedTuple

MOVIE_TAGS = (
    "sci-fi", "based on a book", "comedy", "action", "twist ending", "dystopia", "dark comedy",
    "classic", "psychology", "fantasy", "romance", "thought-provoking", "social commentary",
    "violence", "true story",
)  # fmt: skip
NEWS_CATEGORIES = (
    "women", "religion", "politics", "style & beauty", "entertainment", "culture & arts", "sports",
    "science & technology", "travel", "business", "crime", "education", "healthy living", "parents",
    "food & drink",
)  # fmt: skip
STARS = ("1", "2", "3", "4", "5")


class ProfileForm(NamedTuple):
    """How a profile item becomes the query that would have asked for it.

    ``ask`` is the official prompt before the item's ``text`` field; ``truth`` is the field with the
    answer, None if items have no answer.
    """

    ask: str
    text: str
    truth: str | None


MOVIES = ProfileForm(
    "Which tag does this movie relate to among the following tags? Just answer with the tag name "
    f"without further explanation. tags: [{', '.join(MOVIE_TAGS)}] description:",
    "description",
    "tag",
)
NEWS = ProfileForm(
    "Which category does this article relate to among the following categories? Just answer with "
    "the category name without further explanation. "
    f"categories: [{', '.join(NEWS_CATEGORIES)}] article:",
    "text",
    "category",
)
REVIEWS = ProfileForm(
    "What is the score of the following review on a scale of 1 to 5? just answer with 1, 2, 3, 4, "
    "or 5 without further explanation. review:",
    "text",
    "score",
)
HEADLINES = ProfileForm("Generate a headline for the following article:", "text", "title")
TITLES = ProfileForm("Generate a title for the following abstract of a paper:", "abstract", "title")
SUBJECTS = ProfileForm("Generate a subject for the following email:", "text", "title")
TWEETS = ProfileForm("", "text", None)
"""Profiles contain what the user wrote, but no query that asked for it."""
