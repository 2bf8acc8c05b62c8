"""How often something may be tried: counted in the database, so that all processes count together."""

import datetime
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from portal.models import Attempts

KEPT_FOR = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` tries in each span of ``minutes`` minutes, for each address or login, of what ``name`` names."""

    name: str
    most: int
    minutes: int

    def allow(self, who: str) -> bool:
        """Count one try of ``who``; True while the tries are within the limit.

        ``who`` is kept as a keyed hash: neither addresses nor logins are stored.
        """
        now = timezone.now()
        span = self.minutes * 60
        start = datetime.datetime.fromtimestamp(int(now.timestamp()) // span * span, datetime.UTC)
        key = f"{self.name}:{salted_hmac('portal.limits', who.strip().casefold(), algorithm='sha256').hexdigest()}"
        row, is_new = Attempts.objects.get_or_create(key=key, window_start=start)
        if is_new:
            Attempts.objects.filter(window_start__lt=now - KEPT_FOR).delete()
        # One statement adds: two processes at once lose no count.
        Attempts.objects.filter(pk=row.pk).update(count=F("count") + 1)
        row.refresh_from_db(fields=["count"])
        return row.count <= self.most
