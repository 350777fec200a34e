"""URLs: the application's pages, the API, the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from topoweb.accounts.views import application, shared_application
from topoweb.api import api

urlpatterns = [
    path("", application, name="home"),
    path("login", application, name="login"),
    path("labs/<int:lab_id>", application, name="lab"),
    path("recordings", application, name="recordings"),
    path("recordings/<int:recording_id>", application, name="recording"),
    path("shared/<str:token>", shared_application, name="shared"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]
