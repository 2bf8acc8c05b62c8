from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0010_import_mappings'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='cells_hash',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=80, verbose_name='empreinte des cellules'),
        ),
    ]
