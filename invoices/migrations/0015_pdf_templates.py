import invoices.printing.layouts
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0014_legal_notice'),
    ]

    operations = [
        migrations.AlterField(
            model_name='company',
            name='pdf_template',
            field=models.CharField(choices=invoices.printing.layouts.template_labels, default='classic', max_length=10, verbose_name='modèle de facture'),
        ),
    ]
