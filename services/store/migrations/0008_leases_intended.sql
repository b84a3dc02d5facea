-- The leases whose provider is being asked, or that a crash left behind: few among all leases.
CREATE INDEX leases_intended ON leases (issued_at, id) WHERE state = 'intended';
