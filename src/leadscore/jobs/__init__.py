"""Work that takes longer than a request, done by a process of its own over the table of jobs."""
