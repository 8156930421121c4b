BEGIN TRANSACTION;
CREATE TABLE backup_locks (
	backup_id VARCHAR(512) NOT NULL, 
	operation_id VARCHAR(512) NOT NULL, 
	PRIMARY KEY (backup_id), 
	FOREIGN KEY(operation_id) REFERENCES operations (id)
);
INSERT INTO "backup_locks" VALUES('b-1','d-1');
CREATE TABLE backups (
	id VARCHAR(512) NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "backups" VALUES('b-1','2026-01-01T00:00:00.000000+00:00','{"format": 1, "id": "b-1", "resource": {"type": "OS::Cinder::Volume", "id": "volume-1", "name": ""}, "backend": "there", "scope": "somewhere", "handle": {"version": 1}, "storage": "shelf", "created_at": "2026-01-01T00:00:00.000000+00:00", "options": {}, "members": [], "checks": [], "copy_of": ""}');
CREATE TABLE leases (
	owner VARCHAR(255) NOT NULL, 
	lease_until VARCHAR(32) NOT NULL, 
	PRIMARY KEY (owner)
);
CREATE TABLE operations (
	id VARCHAR(512) NOT NULL, 
	version INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	cancel_requested BOOLEAN NOT NULL, 
	cancel_sent BOOLEAN NOT NULL, 
	has_outcome BOOLEAN NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	document TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "operations" VALUES('d-1',2,'submitting','',0,0,0,'2026-01-01T00:00:00.000000+00:00','{"format": 2, "id": "d-1", "verb": "delete", "backend": "here", "implementation": "there", "scope": "somewhere", "resource": {"type": "OS::Cinder::Volume", "id": "volume-1", "name": ""}, "options": {}, "backup": {"id": "b-1", "resource": {"type": "OS::Cinder::Volume", "id": "volume-1", "name": ""}, "backend": "there", "scope": "somewhere", "handle": {"version": 1}, "storage": "shelf", "created_at": "2026-01-01T00:00:00.000000+00:00", "options": {}, "members": [], "checks": [], "copy_of": ""}, "state": "submitting", "phase": 1, "attempt": 1, "receipt": null, "place": null, "awaiting": false, "amount": {"done": null, "total": null, "unit": ""}, "outcome": null, "cancel_requested": false, "cancel_sent": false, "cancel_retry_at": null, "suspended": false, "created_at": "2026-01-01T00:00:00.000000+00:00", "submitted_at": null, "ended_at": null, "deadline": "2026-01-01T00:00:00.000000+00:00", "grace_until": null, "retry": {"last_error": "", "failures": 0, "not_before": null, "unknown_since": null, "queued": false}, "version": 2, "lease": null, "fence": 0}');
INSERT INTO "operations" VALUES('op-1',1,'planned','',0,0,0,'2026-01-01T00:00:00.000000+00:00','{"format": 2, "id": "op-1", "verb": "protect", "backend": "here", "implementation": "there", "scope": "somewhere", "resource": {"type": "OS::Cinder::Volume", "id": "volume-1", "name": ""}, "options": {}, "backup": null, "state": "planned", "phase": 0, "attempt": 0, "receipt": null, "place": null, "awaiting": false, "amount": {"done": null, "total": null, "unit": ""}, "outcome": null, "cancel_requested": false, "cancel_sent": false, "cancel_retry_at": null, "suspended": false, "created_at": "2026-01-01T00:00:00.000000+00:00", "submitted_at": null, "ended_at": null, "deadline": "2026-01-01T00:00:00.000000+00:00", "grace_until": null, "retry": {"last_error": "", "failures": 0, "not_before": null, "unknown_since": null, "queued": false}, "version": 1, "lease": null, "fence": 0}');
CREATE TABLE schema_version (
	id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "schema_version" VALUES(1,2);
CREATE INDEX ix_operations_created_at ON operations (created_at);
CREATE INDEX ix_operations_state ON operations (state);
CREATE INDEX ix_operations_owner ON operations (owner);
CREATE INDEX ix_backups_created_at ON backups (created_at);
CREATE INDEX ix_backup_locks_operation_id ON backup_locks (operation_id);
COMMIT;
