"""Records what two revisions of leadscore say of the same inputs, and prints what differs.

It judges rebuilds: what a rebuild changes on purpose is listed in `docs/decisions/`, and whatever
else the recorder prints is a fault. The wheel of a revision (``d59c095`` unless named) and that of
the working tree, with what is not committed yet, are built and unpacked; the same program runs with
each of them over the same inputs, each time in processes that import that wheel and nothing of the
checkout.

Usage, in the checkout, with the development environment::

    python -m benchmarks.recorder [REVISION] [--only PART ...] [--data FOLDER] [--first N]
                                  [--json FILE] [--cache FOLDER] [--fresh] [--jobs N]

========  ==========================================================================================
part      what is recorded
========  ==========================================================================================
lists     the sample list and, from ``--data`` (or ``LEADSCORE_BENCH_DATA``), the registry extract
          and the listed firms: cleaned values, problems, notices, order, matches, reasons in both
          languages, vetoes, grades, exact numbers
cases     the same of every file of ``cases`` in that folder; those of ``out*`` as outcomes, too
bad       the files that ``tests/bad_files.py`` makes: the error, or the cleaned table
million   the same of those that have a million rows
score     ``POST /api/v1/score``: 300 requests of one firm, and one of a thousand in each language
training  three simulated histories: the decision with its gates, the model's tables and measures,
          and how it ranks a list that it does not know
pages     every kind of page in both languages, after the sample was imported and worked with
api       the API's answers to GET, and its description of itself
homes     homes that the revision left: with the experts' card, with a trained one, and each with
          another supply; their models, the sample as they rank it, and what the service says there
========  ==========================================================================================

Likelihoods and priorities differ if they are more than 1e-12 apart, everything else if it is not
the same. Differences of one kind (the same column, and texts that are the same but for numbers and
names) are one entry with a count, the first ``--first`` of them in full; ``--json`` writes all.

Lists are scored as of a fixed day; what goes over HTTP as of today, on one day by both. Tokens,
nonces, moments, addresses of styles and numbers that a store gives out are left out of pages and
answers. The inputs that both sides share (requests, bad files, histories, homes) are made once, by
the revision, but for the bad files, which are the working tree's. They and the records of the
revision are kept in ``--cache`` (``.bench/recorder``, which several checkouts may share), and made
again when the program here, the data or the environment is another, the records also on another day
or when ``--fresh`` asks for it; those of the working tree are made anew each time. The exit code is
0 whatever differs, and 2 if a part of a side could not be recorded; the others are compared.

Where the insides of leadscore have to be asked, `places` says under which names each of them is
known in which revision; a rebuild that moves one adds its new name there.
"""
