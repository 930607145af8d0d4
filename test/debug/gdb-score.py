# What a GDB server can do, item by item: run inside gdb by gdb-score.mjs. Prints `ITEM name ok` or `ITEM name no: why`.
# SCORE_SCENARIO names the scenario, SCORE_PORT the server's port, SCORE_ELF the program of the first guest.
import os
import re
import signal
import socket
import threading
import time

import gdb

PORT = int(os.environ["SCORE_PORT"])
ELF = os.environ["SCORE_ELF"]
SCENARIO = os.environ["SCORE_SCENARIO"]
UP_TO = os.environ.get("SCORE_UP_TO", "")  # the last item to be looked at
LIMIT = 4  # seconds that one item may take

items = []


def item(scenario, name):
    def add(function):
        if scenario == SCENARIO:
            items.append((name, function))
        return function

    return add


def run(command):
    return gdb.execute(command, to_string=True)


def packet(text):
    """What the server answers to a packet."""
    match = re.search(r'received: "(.*)"', run("maint packet " + text), re.S)
    return match.group(1) if match else ""


def expect(pattern, text):
    if not re.search(pattern, text, re.S):
        raise RuntimeError("%r is not in %r" % (pattern, text[-300:]))


class Guard:
    """Ctrl-C to gdb, should a command not come back."""

    def __init__(self, seconds):
        self.timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))

    def __enter__(self):
        self.timer.start()

    def __exit__(self, *_):
        self.timer.cancel()


def pc():
    return int(gdb.parse_and_eval("(unsigned)$pc"))


stops = []  # what gdb has told of stops since the last `go`


def on_stop(event):
    if isinstance(event, gdb.SignalEvent):
        stops.append(event.stop_signal)
    elif isinstance(event, gdb.BreakpointEvent):
        stops.extend("breakpoint %d" % each.number for each in event.breakpoints)
    else:
        stops.append("stop")


gdb.events.stop.connect(on_stop)
gdb.events.exited.connect(lambda event: stops.append("exited %d" % event.inferior.num))


def go(command="continue"):
    """What gdb says of a command, and the stops that it tells of."""
    stops.clear()
    text = run(command)
    return text + " ".join(stops)


def spied(command):
    """The same with the packets that go to and fro."""
    run("set debug remote 1")
    try:
        return go(command)
    finally:
        run("set debug remote 0")


def at(symbol):
    return int(gdb.parse_and_eval("(unsigned)&" + symbol))


def to(symbol):
    """Run to a function, by hardware where software breakpoints are what is switched off."""
    place = gdb.Breakpoint("*%#x" % at(symbol), internal=True, temporary=True)
    del place
    go()
    expect("%x" % at(symbol), "%x" % pc())


# Base

@item("bare", "qSupported")
def _():
    size = re.search(r"PacketSize=([0-9a-fA-F]+)", packet("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+;QThreadEvents+;no-resumed+"))
    if not size or int(size.group(1), 16) < 0x4000:
        raise RuntimeError("PacketSize is missing or small")


@item("bare", "vMustReplyEmpty")
def _():
    expect("^$", packet("vMustReplyEmpty"))


@item("bare", "QStartNoAckMode")
def _():
    expect("^OK$", packet("QStartNoAckMode"))


@item("bare", "?")
def _():
    expect("^[TS]05", packet("?"))


@item("bare", "g")
def _():
    expect("^[0-9a-fx]{300,}", packet("g"))


@item("bare", "G")
def _():
    before = packet("g")
    expect("^OK$", packet("G" + "00c0ffee" + before[8:]))
    expect("c0ffee", run("flushregs\n") + run("p/x $r0"))
    packet("G" + before)
    run("flushregs")


@item("bare", "p")
def _():
    expect("^[0-9a-f]{8}$", packet("p40"))


@item("bare", "P")
def _():
    before = packet("p1")
    expect("^OK$", packet("P1=12345678"))
    expect("12345678", packet("p1"))
    packet("P1=" + before)


@item("bare", "m")
def _():
    expect("^[0-9a-f]{8}$", packet("m%x,4" % at("_start")))


@item("bare", "M")
def _():
    expect("^OK$", packet("M8000,4:cafe0001"))
    expect("^cafe0001$", packet("m8000,4"))


@item("bare", "X")
def _():
    expect("^OK$", packet("X8000,0:"))
    run("set var *(unsigned *) 0x8000 = 0x7d24237d")  # escapes: } $ # }
    expect("7d24237d", packet("m8000,4"))
    expect("supported|enabled", run("show remote binary-download-packet"))


@item("bare", "H")
def _():
    expect("^OK$", packet("Hg0"))


@item("bare", "T")
def _():
    thread = re.search(r"thread:([0-9a-fp.]+);", packet("?"))
    expect("^OK$", packet("T" + (thread.group(1) if thread else "1")))


@item("bare", "qC")
def _():
    expect("^QC", packet("qC"))


@item("bare", "qAttached")
def _():
    expect("^1$", packet("qAttached:1"))


@item("bare", "run-length")
def _():
    # gdb shows packets when they are expanded: so look at the wire
    wire = raw([framed("m9000,100")], 0.5)
    expect(r"\*", wire.decode("latin1"))


def framed(text):
    body = text.encode("latin1")
    return b"$" + body + b"#%02x" % (sum(body) & 255)


def raw(chunks, wait):
    """Say something over gdb's own connection's neighbour: gdb lets go, we speak, gdb comes back."""
    run("disconnect")
    time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", PORT)) as wire:
        wire.settimeout(wait)
        for chunk in chunks:
            wire.sendall(chunk)
        data = b""
        try:
            while True:
                part = wire.recv(65536)
                if not part:
                    break
                data += part
        except OSError:
            pass
    time.sleep(0.2)
    run("target remote :%d" % PORT)
    return data


# Run

@item("bare", "vCont?")
def _():
    expect("^vCont;c;C;s;S", packet("vCont?"))


@item("bare", "Z0")
def _():
    gdb.Breakpoint("guest_main")
    go()
    expect("guest_main", run("frame"))
    expect("^OK$", packet("Z0,8000,4"))
    packet("z0,8000,4")


@item("bare", "vCont;s")
def _():
    before = pc()
    go("stepi")
    expect("%x" % (before + 4), "%x" % pc())
    expect(";s", packet("vCont?"))


@item("bare", "vCont;c")
def _():
    gdb.Breakpoint("console_listen", temporary=True)
    go()
    expect("console_listen", run("frame"))
    expect(";c", packet("vCont?"))


@item("bare", "vCont;C")
def _():
    gdb.Breakpoint("*%#x" % (pc() + 4), temporary=True)
    go("signal SIGTRAP")
    expect(";C;.*;S", packet("vCont?"))


@item("bare", "vCont;r")
def _():
    expect("vCont;r", spied("next"))


@item("bare", "vCont;t")
def _():
    expect(";t", packet("vCont?"))


@item("bare", "Z1")
def _():
    run("delete")
    gdb.execute("hbreak tick", to_string=True)
    go()
    expect("tick", run("frame"))
    run("delete")


@item("bare", "Z2")
def _():
    watch = gdb.Breakpoint("*(unsigned *) %#x" % at("ticks"), gdb.BP_WATCHPOINT, gdb.WP_WRITE)
    expect("watch:0*%x;.*breakpoint %d" % (at("ticks"), watch.number), spied("continue"))
    watch.delete()


@item("bare", "Z3")
def _():
    watch = gdb.Breakpoint("*(unsigned *) %#x" % at("ticks"), gdb.BP_WATCHPOINT, gdb.WP_READ)
    expect("rwatch:0*%x;.*breakpoint %d" % (at("ticks"), watch.number), spied("continue"))
    watch.delete()


@item("bare", "Z4")
def _():
    watch = gdb.Breakpoint("*(unsigned *) %#x" % at("ticks"), gdb.BP_WATCHPOINT, gdb.WP_ACCESS)
    expect("awatch:0*%x;.*breakpoint %d" % (at("ticks"), watch.number), spied("continue"))
    watch.delete()


@item("bare", "swbreak")
def _():
    expect("swbreak[+]", packet("qSupported:swbreak+;hwbreak+;multiprocess+;vContSupported+;QThreadEvents+;no-resumed+"))


@item("bare", "conditions")
def _():
    run("set breakpoint condition-evaluation target")
    point = gdb.Breakpoint("tick")
    ticks = int(gdb.parse_and_eval("ticks"))
    point.condition = "ticks >= %d" % (ticks + 3)
    expect("Z0,[0-9a-f]+,4;X", spied("continue"))
    point.delete()
    run("set breakpoint condition-evaluation auto")
    expect("%d" % (ticks + 3), str(int(gdb.parse_and_eval("ticks"))))


@item("bare", "commands")
def _():
    run("set dprintf-style agent")
    run('dprintf tick,"tick %d of the guest\\n",ticks')
    gdb.execute("hbreak *%#x" % (at("tick") + 28), to_string=True)  # behind the increment
    go()  # from here on, wherever that is
    text = spied("continue")
    run("delete")
    run("set dprintf-style gdb")
    expect("received: O" + "tick ".encode().hex(), text)


@item("bare", "idempotent Z")
def _():
    expect("^OK$", packet("Z0,8000,4"))
    expect("^OK$", packet("Z0,8000,4"))
    expect("^OK$", packet("z0,8000,4"))
    expect("^OK$", packet("z0,8000,4"))


@item("bare", "break")
def _():
    began = []

    def later():
        time.sleep(0.5)
        began.append(time.time())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=later).start()
    text = go()
    expect("SIGINT", text)
    if time.time() - began[0] > 1:
        raise RuntimeError("Ctrl-C took %.2f s" % (time.time() - began[0]))


# Description

@item("bare", "qXfer:features")
def _():
    expect("esr.*srr0|srr0.*esr", run("info registers system"))
    expect(r"\[", run("info registers msr"))


@item("bare", "qXfer:memory-map")
def _():
    expect("provided by the target.*0x00000000 0x", run("info mem"))


@item("bare", "qXfer:threads")
def _():
    expect("<thread", packet("qXfer:threads:read::0,1000"))


@item("bare", "qXfer:exec-file")
def _():
    expect("^[ml]/", packet("qXfer:exec-file:read:1:0,400"))


@item("bare", "qXfer:osdata")
def _():
    expect("command.*cores.*1 ", run("info os processes"))


@item("bare", "qXfer:auxv")
def _():
    expect("^$", packet("qXfer:auxv:read::0,400"))


@item("bare", "qOffsets")
def _():
    expect("^$", packet("qOffsets"))


# Console, files, checks

@item("bare", "qRcmd")
def _():
    expect(r"\w{3,}", run("monitor help"))


@item("bare", "vFile")
def _():
    run("remote get %s /dev/null" % ELF)


@item("bare", "qSearch:memory")
def _():
    expect("0x.*1 pattern", run("find /w %#x, +64, *(unsigned *) %#x" % (at("_start"), at("_start") + 8)))
    expect("currently enabled", run("show remote search-memory-packet"))


@item("bare", "qCRC")
def _():
    expect("Section .text.*matched", run("compare-sections .text"))
    expect("^C[0-9a-f]+$", packet("qCRC:%x,40" % at("_start")))


@item("bare", "bs")
def _():
    run("stepi")
    before = pc()
    run("stepi")
    run("reverse-stepi")
    expect("%x" % before, "%x" % pc())


@item("bare", "bc")
def _():
    go("stepi 2")  # out of the past, where the item before has gone
    point = gdb.Breakpoint("tick")
    go()
    first = int(gdb.parse_and_eval("ticks"))
    go()
    try:
        go("reverse-continue")
    finally:
        point.delete()
    expect("%d" % first, str(int(gdb.parse_and_eval("ticks"))))


@item("bare", "replaylog")
def _():
    run("delete")
    expect("replaylog:begin", spied("reverse-continue"))


@item("bare", "reverse watchpoints")
def _():
    watch = gdb.Breakpoint("*(unsigned *) %#x" % at("ticks"), gdb.BP_WATCHPOINT, gdb.WP_WRITE)
    go()
    go()
    try:
        expect("watch:0*%x;.*breakpoint %d" % (at("ticks"), watch.number), spied("reverse-continue"))
    finally:
        watch.delete()


@item("bare", "reconnect")
def _():
    before = pc()
    raw([b"+$m1000,", b"$", b"\x03\x03garbage$g#00", framed("vCont;zzz"), b"$m10"], 0.3)
    expect("%x" % before, "%x" % pc())
    run("stepi")


@item("bare", "D")
def _():
    expect("detached", run("detach"))
    time.sleep(0.3)
    run("target remote :%d" % PORT)


@item("bare", "load")
def _():
    packet("M%x,4:00000000" % (at("guest_main")))
    expect("Transfer rate", run("load"))
    expect("matched", run("compare-sections .text"))
    expect("%x" % at("_start"), "%x" % pc())


@item("bare", "vKill")
def _():
    expect("^OK$", packet("vKill;1"))


# Several processes

@item("partitions", "multiprocess")
def _():
    expect("multiprocess[+]", packet("qSupported:multiprocess+;fork-events+;exec-events+;swbreak+;hwbreak+;vContSupported+;QThreadEvents+;no-resumed+"))
    expect("^QCp", packet("qC"))


@item("partitions", "fork-events")
def _():
    run("set detach-on-fork off")
    run("set schedule-multiple on")
    run("catch fork")
    expect("fork:p2.1;.*(stop|breakpoint)", spied("continue"))
    run("delete")


@item("partitions", "exec-events")
def _():
    run("catch exec")
    go()
    run("delete")
    expect("target:.*elf", run("info inferiors"))


@item("partitions", "per-process actions")
def _():
    run("set breakpoint pending on")
    gdb.Breakpoint("guest_main")
    go()
    expect("guest_main", run("frame"))
    expect("2|3", str(gdb.selected_inferior().num))
    run("delete")
    run("set schedule-multiple off")
    before = pc()
    run("stepi")
    expect("%x" % (before + 4), "%x" % pc())
    run("set schedule-multiple on")


@item("partitions", "W and X")
def _():
    run("set schedule-multiple on")
    gdb.execute("set confirm off")
    run("inferior 3") if any(each.num == 3 and each.pid for each in gdb.inferiors()) else None
    for _ in range(4):
        if re.search("exited [23]", go()):
            return
    raise RuntimeError("no partition was seen to end")


@item("attach", "vAttach")
def _():
    run("add-inferior")
    run("inferior 2")
    run("attach 2")
    expect("esr", run("info registers esr"))
    expect("%x" % pc(), run("info registers pc"))


@item("attach", "QThreadEvents")
def _():
    expect("no-resumed[+]", packet("qSupported:multiprocess+;fork-events+;exec-events+;swbreak+;hwbreak+;vContSupported+;QThreadEvents+;no-resumed+"))
    expect("^OK$", packet("QThreadEvents:1"))
    expect("^OK$", packet("QThreadEvents:0"))


@item("non-stop", "QNonStop")
def _():
    expect("_start", run("info threads"))  # gdb has asked for the stops of non-stop mode
    words = ["QStartNoAckMode", "qSupported:multiprocess+", "QNonStop:1", "vCont;c:p1.-1", "vCont;t:p1.-1", "vStopped"]
    wire = raw([framed(word) for word in words], 0.5).decode("latin1")
    expect("OK.*OK.*%Stop:T0.*thread:p1.1.*OK", wire)


@item("restart", "vRun")
def _():
    gdb.Breakpoint("guest_main", temporary=True)
    go()
    expect("guest_main", run("frame"))
    run("set confirm off")
    run("delete")
    run("set remote exec-file %s" % ELF)
    run("starti")
    expect("%x" % at("_start"), "%x" % pc())
    gdb.Breakpoint("guest_main", temporary=True)
    go()
    expect("guest_main", run("frame"))


def main():
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    gdb.execute("set width 0")
    gdb.execute("set remotetimeout 5")
    if SCENARIO == "non-stop":
        run("set non-stop on")
    target = "extended-remote" if SCENARIO in ("attach", "restart") else "remote"
    try:
        if SCENARIO not in ("partitions", "attach"):
            run("file " + ELF)
        with Guard(LIMIT):
            run("target %s :%d" % (target, PORT))
    except Exception as error:
        print("CONNECT no: %s" % error)  # and then each item says that it cannot be done
    for name, function in items:
        try:
            with Guard(LIMIT):
                function()
            print("ITEM %s: ok" % name, flush=True)
        except (Exception, KeyboardInterrupt) as error:
            print("ITEM %s: no: %s" % (name, str(error).replace("\n", " ")[:300]), flush=True)
            try:
                run("delete")
            except Exception:
                pass
        if name == UP_TO:
            break
    os._exit(0)


main()
