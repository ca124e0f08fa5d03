-- How long the server itself has been up, in seconds.
SHOW GLOBAL STATUS LIKE 'Uptime';
