# Settings and commands for a GDB that debugs what `hv440 debug` runs:
#     gdb-multiarch -x docs/hv440.gdb
# docs/debugging.md has a tour with them.

# Each partition is a process: keep them all, run and stop them together.
set detach-on-fork off
set schedule-multiple on
# Programs are known when a partition is met.
set breakpoint pending on
# The guests of firmware/ were compiled elsewhere.
directory firmware

python
import gdb


class Onward(gdb.Command):
    """Says where to stop to the machine's monitor, and then lets it go on."""

    def __init__(self, name, go, doc):
        self.__doc__ = doc
        self.name, self.go = name, go
        super().__init__(name, gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        said = gdb.execute("monitor %s %s" % (self.name, argument), to_string=True).splitlines(True)
        accepted = said != [] and said[-1].startswith("continue")
        gdb.write("".join(said[:-1] if accepted else said))
        if accepted:
            gdb.execute(self.go, from_tty)


class Asked(gdb.Command):
    """A command of the machine's monitor."""

    def __init__(self, name, doc):
        self.__doc__ = doc
        self.name = name
        super().__init__(name, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        gdb.execute("monitor %s %s" % (self.name, argument), from_tty)


Onward("trap-step", "continue", "Run to the end of this processor's next trap, and show it.")
Onward("trap-into", "continue", "Run to the next thing that is done about a trap: the exit, each stage, the way back.")
Onward("trap-finish", "continue", "Run until the program returns from the handler that it is in.")
Onward("reverse-trap-step", "reverse-continue", "Go back to before this processor's last trap, and show it.")
Onward("goto", "reverse-continue", "goto STEP|BOOKMARK: go to a moment, as `history` counts.")
Onward("goto-time", "reverse-continue", "goto-time CYCLE: go to a moment by the clock.")
Asked("traps", "traps [N] [KIND|PARTITION...]: the last traps; traps 1 shows one in full.")
Asked("history", "How far the past goes back, where in it this is, and bookmarks.")
Asked("bookmark", "bookmark NAME: remember this moment for goto.")
Asked("where-written", "where-written PLACE [BYTES]: which instruction wrote there last.")
end
