"""Settings of the stages: one frozen, strict model per stage. `lifelog.config` combines them into the configuration."""
