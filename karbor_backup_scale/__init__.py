"""Workers on many machines, which take operations from a queue in PostgreSQL.

Procrastinate's queue says *who* drives an operation, the core's ``Runner`` says *when* its next
call is made, and the store's leases and compare-and-set writes are the truth. So a fault of the
queue costs time, and no work is ever done twice.
"""
