-- Step to version 2: uploads.
-- A file that somebody was invited to bring into the platform's storage, and the job that was made of it.
CREATE TABLE uploads (
  id uuid CONSTRAINT uploads_pk PRIMARY KEY,
  tenant_id bigint NOT NULL,
  key text NOT NULL,                           -- where it lies in the storage
  file_name text NOT NULL,                     -- as its owner calls it: never a path of ours
  content_type text NOT NULL,
  declared_bytes bigint,                       -- null: any size is taken
  state text NOT NULL
    CONSTRAINT uploads_state_known CHECK (state IN ('pending', 'uploaded')),
  size_bytes bigint,                           -- of what arrived
  job_id bigint,                               -- the last job that uses it
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,             -- of the invitation
  uploaded_at timestamptz
);
