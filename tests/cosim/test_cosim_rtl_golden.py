"""Golden vectors on a module of the user's own: `harness golden rtl --design`."""

import shutil

import pytest

from harness import cli
from harness.golden.files import golden_directory

DESIGN = golden_directory() / "rtl" / "ap_quantize.sv"
CASTS = golden_directory() / "fixed" / "cast.json"
pytestmark = pytest.mark.skipif(
    not shutil.which("verilator"), reason="verilator is not installed: apt-get install verilator"
)
#: Group 0002 of the committed casts.
TYPES = {"a": "ap_fixed<10,3>", "y": "ap_fixed<6,0,AP_RND,AP_SAT_SYM>"}
FACTS = {"SRC_W": 10, "SRC_I": 3, "SRC_S": 1, "W": 6, "I": 0, "S": 1, "Q": 0, "O": 2, "N": 0}


@pytest.fixture
def golden_rtl(monkeypatch, capsys):
    """The command with options; its exit status and what it wrote."""

    def run(types=TYPES, options=("--vectors", str(CASTS)), **parameters):
        command = ["harness", "golden", "rtl", "--design", str(DESIGN), "--top", "ap_quantize"]
        command += options
        for name, spelling in types.items():
            command += ["--types", f"{name}={spelling}"]
        for name, value in {**FACTS, **parameters}.items():
            command += ["--parameter", f"{name}={value}"]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return run


def test_vectors_that_suit(golden_rtl):
    """They pass, and what was not asked is told."""
    status, out, _ = golden_rtl(options=())
    assert status == 0
    assert "of fixed/cast.json group 0002; " in out
    assert out.startswith("PASS: ")
    assert "of other types or operations were not asked" in out


def test_a_fault(golden_rtl):
    """Another overflow mode is found, with the line of the file."""
    status, out, _ = golden_rtl(O=0)
    assert status == 1
    assert "cast.json:" in out
    assert "cast a ap_fixed<10,3>, expected ap_fixed<6,0,AP_RND,AP_SAT_SYM>: " in out
    assert "=> got 20, expected 21" in out
    assert "FAIL: " in out


def test_nothing_to_ask(golden_rtl):
    """Other types are refused, and those that there are for such widths are named."""
    status, _, err = golden_rtl({"a": "ap_fixed<10,3>", "y": "ap_fixed<6,1>"})
    assert status == 2
    assert "no vector of cast is of a ap_fixed<10,3>, y ap_fixed<6,1>; of these widths" in err
    assert "ap_fixed<10,3>, ap_fixed<6,0,AP_RND,AP_SAT_SYM>" in err
    assert len(err.splitlines()) == 1
