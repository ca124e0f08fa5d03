"""Jobs in the words of other services, put into ours. Pure: what reads and answers them over HTTP is in `api`."""
