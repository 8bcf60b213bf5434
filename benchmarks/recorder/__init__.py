"""Records what two revisions of leadscore say of the same inputs, and prints what differs.

It judges rebuilds: what a rebuild changes on purpose is listed in `docs/decisions/`, and whatever
else the recorder prints is a fault. The wheel of a revision (``c1d0778`` unless named) and that of
the working tree, with what is not committed yet, are built and unpacked; the same program runs with
each of them over the same inputs, each time in processes that import that wheel and nothing of the
checkout.

Usage, in the checkout, with the development environment::

    python -m benchmarks.recorder [REVISION] [--only PART ...] [--data FOLDER] [--first N]
                                  [--json FILE] [--fresh] [--jobs N]

=========  =========================================================================================
part       what is recorded
=========  =========================================================================================
lists      the sample list and, from ``--data`` (or ``LEADSCORE_BENCH_DATA``), the registry extract,
           the listed firms and every file of ``cases``: cleaned values, problems, notices, order,
           matches, reasons in both languages, vetoes, grades, exact numbers; outcomes of ``out*``
score      ``POST /api/v1/score``: 300 requests of one firm, and one of a thousand
=========  =========================================================================================

Likelihoods and priorities differ if they are more than 1e-12 apart, everything else if it is not
the same. Differences of one kind (the same column, and texts that are the same but for numbers and
names) are one entry with a count, the first ``--first`` of them in full; ``--json`` writes all.

Lists are scored as of a fixed day. What goes over HTTP is scored as of today, on the same day by
both. The records of the revision are kept in ``.bench/recorder`` and made again when the program
here, the data, the environment or the day is another, or when ``--fresh`` asks for it; those of the
working tree are made anew each time. The exit code is 0 whatever differs, and 2 if a side could not
be recorded.

Where the insides of leadscore have to be asked, `places` says under which names each of them is
known in which revision; a rebuild that moves one adds its new name there.
"""
