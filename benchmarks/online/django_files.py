"""The change as Django's migrations: as makemigrations writes it, and in the steps of the zero downtime backend."""

from __future__ import annotations

from benchmarks.online.scene import BACKFILL

ZERO_DOWNTIME = """
ZERO_DOWNTIME_MIGRATIONS_LOCK_TIMEOUT = "2s"
ZERO_DOWNTIME_MIGRATIONS_STATEMENT_TIMEOUT = "2s"
ZERO_DOWNTIME_MIGRATIONS_FLEXIBLE_STATEMENT_TIMEOUT = True
ZERO_DOWNTIME_MIGRATIONS_RAISE_FOR_UNSAFE = True
"""
_HEAD = """\
from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models


class Migration(migrations.Migration):
"""
_INITIAL = (
    _HEAD
    + """\
    operations = [
        migrations.CreateModel(
            "Order",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("number", models.BigIntegerField()),
                ("customer_id", models.BigIntegerField()),
                ("amount", models.DecimalField(max_digits=12, decimal_places=2)),
                ("region", models.TextField(null=True)),
                ("note", models.CharField(max_length=40, null=True)),
            ],
            {"db_table": "orders"},
        ),
        migrations.CreateModel(
            "Line",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("order", models.ForeignKey("app.Order", models.CASCADE, db_constraint=False, db_index=False)),
                ("quantity", models.IntegerField()),
            ],
            {"db_table": "lines"},
        ),
    ]
"""
)
_FOREIGN_KEY = 'migrations.AlterField("Line", "order", models.ForeignKey("app.Order", models.CASCADE))'
_CHECK = (
    'migrations.AddConstraint("Order", '
    'models.CheckConstraint(condition=models.Q(amount__gte=0), name="orders_amount_check"))'
)
_UNIQUE = 'migrations.AddConstraint("Order", models.UniqueConstraint(fields=["number"], name="orders_number_key"))'
_INDEX = 'migrations.AddIndex("Order", models.Index(fields=["customer_id"], name="orders_customer_idx"))'
_REGIONS = f'migrations.RunSQL("{BACKFILL}")'
_NOTE = 'migrations.AlterField("Order", "note", models.TextField(null=True))'
_HANDLE = 'migrations.AddField("Order", "handle", models.UUIDField(db_default=RandomUUID()))'

# With the zero downtime backend a volatile default is not added at once.
_HANDLE_NULL = 'migrations.AddField("Order", "handle", models.UUIDField(null=True))'
_HANDLE_DEFAULT = 'migrations.AlterField("Order", "handle", models.UUIDField(null=True, db_default=RandomUUID()))'
_HANDLES = 'migrations.RunSQL("UPDATE orders SET handle = gen_random_uuid() WHERE handle IS NULL")'
_HANDLE_NOT_NULL = 'migrations.AlterField("Order", "handle", models.UUIDField(db_default=RandomUUID()))'


def _migration(number: int, *operations: str, atomic: bool = True) -> tuple[str, str]:
    before = "0001_initial" if number == 2 else f"{number - 1:04d}_change"
    body = "".join(f"        {operation},\n" for operation in operations)
    text = f'{_HEAD}    atomic = {atomic}\n    dependencies = [("app", "{before}")]\n    operations = [\n{body}    ]\n'
    return f"{number:04d}_change", text


FIRST = {"0001_initial": _INITIAL}
PLAIN = dict([_migration(2, _HANDLE, _FOREIGN_KEY, _CHECK, _UNIQUE, _INDEX, _REGIONS, _NOTE)])
IN_STEPS = dict(
    _migration(number, operation, atomic=False)
    for number, operation in enumerate(
        (
            *(_HANDLE_NULL, _HANDLE_DEFAULT, _HANDLES, _HANDLE_NOT_NULL),
            *(_FOREIGN_KEY, _CHECK, _UNIQUE, _INDEX, _REGIONS, _NOTE),
        ),
        2,
    )
)
