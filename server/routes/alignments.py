"""``/me/alignments``"""

from fastapi import APIRouter

router = APIRouter(prefix="/me/alignments", tags=["alignments"])
