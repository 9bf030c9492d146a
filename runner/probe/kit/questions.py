"""Questions to a framework, of which any may fail."""


def ask(errors, name, question, *arguments):
    try:
        return question(*arguments)
    except Exception as error:
        errors[name] = "%s: %s" % (type(error).__name__, str(error)[:200])
        return None


def answers(errors, name, questions):
    """Returns the answers to ``questions``, without those that failed.

    ``questions``: {key: callable}.
    """
    found = {}
    for key, question in questions.items():
        value = ask(errors, "%s.%s" % (name, key), question)
        if value is not None:
            found[key] = value if isinstance(value, (bool, int, float, dict, list)) else str(value)
    return found
