"""`/api/health` and `/api/ready`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, status

from prosaas.api.readiness import Readiness, Ready

router = APIRouter(prefix="/api", tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive. It looks at nothing else."""
    return {"status": "alive"}


@router.get("/ready", responses={status.HTTP_503_SERVICE_UNAVAILABLE: {"model": Ready}})
def ready(request: Request, response: Response) -> Ready:
    """The schema is true and a worker is alive; 503 with what is missing and the command that mends it otherwise."""
    readiness: Readiness = request.app.state.readiness
    answer = readiness.look()
    if not answer.ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return answer
