"""The audit log shows every way of tampering with it, and survives crashes and many writers."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from pipelines.commands import main


def write(folder: Path, n: int = 6) -> Path:
    for i in range(n):
        audit.record(
            folder, "view", viewer=f"reader{i}@x.example", role="Faculty lead", scope="faculty:ENG",
            release="2026-11-30", what=f"schools?metric=m{i}",
        )  # fmt: skip
    return folder


def lines(folder: Path) -> list[str]:
    return (folder / audit.LOG).read_text().splitlines()


def put(folder: Path, new: list[str]) -> None:
    (folder / audit.LOG).write_text("".join(line + "\n" for line in new))


def problems(folder: Path, anchor: str = "") -> str:
    return "\n".join(audit.verify(folder, anchor)[1])


def test_a_log_left_alone_is_whole_and_its_owners(tmp_path: Path) -> None:
    folder = write(tmp_path / "audit")
    head, found = audit.verify(folder)
    assert found == []
    assert head.count == 6
    assert [r["what"] for r in audit.records(folder)] == [f"schools?metric=m{i}" for i in range(6)]
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_edited_line_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path)
    found = lines(folder)
    found[2] = found[2].replace("reader2@", "nobody@")
    put(folder, found)
    assert problems(folder) == "Line 3 was edited: it does not match its own hash."


def test_an_edited_line_with_a_new_hash_is_found(tmp_path: Path) -> None:
    folder = write(tmp_path)
    found = lines(folder)
    fields = json.loads(found[2]) | {"viewer": "nobody@x.example"}
    del fields["hash"]
    found[2] = audit._line(fields)
    put(folder, found)
    assert "Line 4 does not follow the line before it" in problems(folder)


def test_a_removed_line_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path)
    found = lines(folder)
    put(folder, found[:2] + found[3:])
    assert "record 3 should stand" in problems(folder)


@pytest.mark.parametrize("left", [0, 1, 5])
def test_a_shortened_log_is_found(tmp_path: Path, left: int) -> None:
    folder = write(tmp_path)
    put(folder, lines(folder)[:left])
    assert "The end is missing" in problems(folder)
    assert "6" in problems(folder)
    audit.record(folder, "view", viewer="later@x.example")
    assert problems(folder), "writing on does not heal it"


def test_a_log_that_is_gone_is_found(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / audit.LOG).unlink()
    assert "records 1 to 6" in problems(folder)


def test_a_forged_line_at_the_end_is_found(tmp_path: Path) -> None:
    folder = write(tmp_path)
    last = json.loads(lines(folder)[-1])
    forged = {k: v for k, v in last.items() if k != "hash"} | {"n": 7, "previous": last["hash"]}
    put(folder, [*lines(folder), audit._line(forged)])
    assert "Record 7 at the end" in problems(folder)
    audit.record(folder, "view", viewer="later@x.example")
    assert problems(folder), "writing on does not bless it"


def test_a_log_written_anew_with_its_head_is_found_by_an_anchor(tmp_path: Path) -> None:
    anchor = audit.verify(write(tmp_path / "a"))[0].anchor
    other = write(tmp_path / "b", 8)
    assert problems(other) == ""
    assert "anchor" in problems(other, anchor)
    assert "anchor" in problems(write(tmp_path / "c", 3), anchor)
    assert problems(write(tmp_path / "a", 2), anchor) == "", "a log that has grown still holds its anchor"


def test_without_its_head_a_log_is_not_believed(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / audit.HEAD).unlink()
    assert problems(folder)
    (folder / audit.HEAD).write_text("{}x")
    assert "head.json" in problems(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = write(tmp_path_factory.mktemp("whole"), 4)
    return folder, (folder / audit.LOG).read_bytes()


@settings(max_examples=300)
@given(data=st.data())
def test_no_change_of_any_kind_passes(whole: tuple[Path, bytes], data: st.DataObject) -> None:
    folder, before = whole
    found = before.splitlines(keepends=True)
    how = data.draw(st.sampled_from(["edit", "delete", "reorder", "truncate", "insert", "append"]))
    if how == "reorder":
        after = b"".join(data.draw(st.permutations(found)))
    elif how == "delete":
        gone = data.draw(st.sets(st.integers(0, 3), min_size=1))
        after = b"".join(line for i, line in enumerate(found) if i not in gone)
    elif how == "truncate":
        after = before[: data.draw(st.integers(0, len(before) - 1))]
    elif how == "append":
        after = before + data.draw(st.sampled_from(found))
    elif how == "insert":
        at = data.draw(st.integers(0, len(before)))
        after = before[:at] + data.draw(st.binary(min_size=1, max_size=20)) + before[at:]
    else:
        at = data.draw(st.integers(0, len(before) - 1))
        after = before[:at] + bytes([data.draw(st.integers(0, 255))]) + before[at + 1 :]
    (folder / audit.LOG).write_bytes(after)
    assert bool(problems(folder)) == (after != before)


@pytest.mark.parametrize("written", [0, 1, 40, 10_000])
def test_a_crash_while_writing_loses_nothing_and_is_no_forgery(tmp_path: Path, written: int) -> None:
    folder = write(tmp_path, 3)
    head = audit._head(folder)
    line = audit._line({"n": 4, "viewer": "cut off", "previous": head.last})
    audit._write_head(folder, audit.Head(head.count, head.last, head.size, line))
    with (folder / audit.LOG).open("ab") as file:
        file.write((line + "\n").encode()[:written])
    audit.record(folder, "view", viewer="next@x.example")
    assert problems(folder) == ""
    assert [r["viewer"] for r in audit.records(folder)][3:] == ["cut off", "next@x.example"]


def test_many_writers_keep_one_chain(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: audit.record(tmp_path, "view", viewer=str(i)), range(40)))
    head, found = audit.verify(tmp_path)
    assert (head.count, found) == (40, [])


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(audit.AuditError, match="audit log"):
        audit.record(tmp_path / "file", "view", viewer="x")


def test_the_command_line_verifies(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("APT_DATA", str(tmp_path))
    folder = write(tmp_path / "audit")
    assert main(["audit", "--verify"]) == 0
    anchor = audit.verify(folder)[0].anchor
    assert anchor in capsys.readouterr().out
    put(folder, lines(folder)[:-1])
    assert main(["audit", "--verify", "--anchor", anchor]) == 1
    assert "The end is missing: record 6" in capsys.readouterr().out


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("command", [["audit"], ["audit", "--verify"]])
def test_where_there_is_no_log_that_is_said_and_none_is_made(
    tmp_path: Path, monkeypatch, capsys, command: list[str], there: bool
) -> None:
    data = tmp_path / "data"
    if there:
        data.mkdir()
    monkeypatch.setenv("APT_DATA", str(data))
    assert main(command) == 1
    said = capsys.readouterr().out
    assert (f"There is no audit log in {data / 'audit'}" if there else f"There is no data folder {data},") in said
    assert "APT_DATA" in said
    assert "whole" not in said
    assert [*tmp_path.rglob("*")] == ([data] if there else [])


@pytest.mark.parametrize("anchor", ["12:abc", "12", "²:" + audit.NOTHING, "12:" + "g" * 64, audit.NOTHING])
def test_what_is_no_anchor_is_no_tampering(tmp_path: Path, monkeypatch, capsys, anchor: str) -> None:
    monkeypatch.setenv("APT_DATA", str(tmp_path))
    write(tmp_path / "audit")
    assert main(["audit", "--verify", "--anchor", anchor]) == 1
    said = capsys.readouterr().out
    assert f"'{anchor}' is no anchor" in said
    assert "64 hexadecimal digits, such as 1234:ab12…" in said
    assert "tampered" not in said


def test_a_log_that_cannot_be_read_is_not_called_tampered_with(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("APT_DATA", str(tmp_path))
    write(tmp_path / "audit")
    (tmp_path / "audit" / audit.LOCK).unlink(missing_ok=True)
    (tmp_path / "audit" / audit.LOCK).mkdir()
    assert main(["audit", "--verify"]) == 1
    said = capsys.readouterr().out
    assert "The audit log was not verified." in said
    assert "tampered" not in said
