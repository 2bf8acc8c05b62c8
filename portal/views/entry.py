"""Coming in and going out."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse

from portal.forms import LoginForm


class SignIn(LoginView):
    """Identifiant, Mot de passe, *Se connecter*; somebody signed in already goes home."""

    template_name = "portal/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Open a session that ends with the browser, unless «rester connecté» is ticked."""
        answer = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            self.request.session.set_expiry(0)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page's own title."""
        return super().get_context_data(title="Connexion", **kwargs)
