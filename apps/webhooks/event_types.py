"""The one list of what an organisation can be told of."""

from __future__ import annotations

from types import MappingProxyType

# Type -> when it is sent, as staff and customers read it. Nothing is sent that an endpoint has not chosen by name.
EVENT_TYPES = MappingProxyType(
    {
        "model_run.completed": "a run ended with results",
        "model_run.failed": "a run ended without results",
        "model_run.deleted": "a run was erased, by a call or because its time had come",
        "model_run.safety": "a run ended whose transcript holds a statement about self-harm; the words are not sent",
        "api_key.revoked": "a key was revoked",
        "document.ready": "a patient's document was checked and is sound",
        "document.failed": "a patient's document was checked and refused: its link is dead",
    }
)

TEST = "webhook.test"  # sent by its own call alone, once
