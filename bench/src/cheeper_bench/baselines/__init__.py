"""The alternatives that the services are compared with: plain loops and apps, and Debezium."""
