"""Recent and saved questions, and the file that they are kept in."""

import json

from rmq.tui.state.queries import RECENT, SAVED, Queries, read


def test_recent_ones_are_there_once_and_bounded() -> None:
    kept: list[str] = []
    queries = Queries(store=kept.append)
    for number in range(RECENT + 5):
        queries.asked(f" T{number} ")
    queries.asked("T50")
    assert (len(queries.recent), queries.recent[:2], queries.recent.count("T50")) == (RECENT, ["T50", "T104"], 1)
    assert read(kept[-1]) == Queries(queries.recent, {})


def test_saved_ones() -> None:
    kept: list[str] = []
    queries = Queries(store=kept.append)
    assert queries.save("late", "Orders time:-1h") == ""
    assert queries.save(" late ", "Orders time:-2h") == ""
    assert queries.save("", "x") == "a name of 1 to 60 letters is needed"
    assert queries.save("a\nb", "x") == "a name of 1 to 60 letters is needed"
    assert json.loads(kept[-1]) == {"recent": [], "saved": {"late": "Orders time:-2h"}}
    queries.forget("late")
    queries.forget("gone")
    assert json.loads(kept[-1])["saved"] == {}
    full = Queries(saved={str(number): "T" for number in range(SAVED)})
    assert full.save("more", "T") == "there are 200 already: forget one first"
    assert full.save("7", "T2") == ""


def test_a_file_that_is_not_as_it_should_be() -> None:
    for text in ("", "no json", "[]", '{"recent": 1, "saved": []}', "{}"):
        assert read(text) == Queries()
    found = read('{"recent": ["a", 1, "b"], "saved": {"x": "T", "y": 2}}')
    assert (found.recent, found.saved) == (["a", "b"], {"x": "T"})
