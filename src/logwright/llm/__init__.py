"""Language models: any OpenAI-compatible endpoint, batch files, or a recording.

Text from logs goes out hidden (secrets, hosts, users) and fenced as data; every request has a most
of tokens, is reserved in a budget before it leaves, and is kept in a journal, so that a run that is
begun again pays nothing twice.
"""

from logwright.llm.chat import Answer, Ask, Chat, ChatModel
from logwright.llm.errors import BudgetError, ContextError, ModelAnswerError, Waiting
from logwright.llm.expert import Opinion, consult
from logwright.llm.opening import open_chat
from logwright.llm.request import LogText, Message, assistant, system, user

__all__ = [
    "Answer",
    "Ask",
    "BudgetError",
    "Chat",
    "ChatModel",
    "ContextError",
    "LogText",
    "Message",
    "ModelAnswerError",
    "Opinion",
    "Waiting",
    "assistant",
    "consult",
    "open_chat",
    "system",
    "user",
]
